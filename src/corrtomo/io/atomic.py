"""Write beside the target and move into place: an interrupted write leaves the old file as it was."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_KEPT = 32  # characters of a name that another one beside it keeps: the suffix, and no name too long


@contextmanager
def replacing(target: Path, *, overwrite: bool, folder: bool = False) -> Iterator[Path]:
    """Give a hidden path in the folder of `target` to write to; move it to `target` once that went well.

    The path exists when it is given: an empty file, or an empty folder.
    """
    target = Path(os.path.realpath(target))
    check_target(target, overwrite=overwrite)
    # In lower case: ITK takes MHA in capitals for the header of two files.
    part = target.with_name(f".part-{secrets.token_hex(4)}-{target.name.lower()[-_KEPT:]}")
    try:
        if folder:
            part.mkdir()
        else:
            part.touch(exist_ok=False)
    except OSError as error:
        raise type(error)(
            f"Cannot write {target}: its folder is not writable ({error.strerror}). "
            "A folder in which you may create files is needed. Pass another path to ct.write()."
        ) from error
    try:
        yield part
        if not folder and part.stat().st_size == 0:
            raise OSError(
                f"Cannot write {target}: the writer of this format left an empty file. What stood there "
                "before stands there still. Choose another format, for instance .ome.tif."
            )
        _move(part, target, overwrite=overwrite)
    finally:
        _remove(part)


@contextmanager
def continuing(target: Path, *, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """Give a hidden folder to write to, and one for notes of what is done; both stay after an interruption.

    Once all went well the first is moved to `target`, and the second is gone.
    """
    target = Path(os.path.realpath(target))
    check_target(target, overwrite=overwrite)
    unfinished = target.with_name(f".unfinished-{target.name[-200:]}")
    part, done = unfinished / "image", unfinished / "done"
    for folder in (part, done):
        folder.mkdir(parents=True, exist_ok=True)
    yield part, done
    _remove(done)  # first: marks without an image would be believed by the next run
    _move(part, target, overwrite=overwrite)
    _remove(unfinished)


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target without a parent folder, and one that exists, unless it may be overwritten."""
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write {target}: there is no folder {target.parent}. "
            "The folder of the target must exist. Make it first with pathlib.Path.mkdir(parents=True)."
        )
    if Path(os.path.realpath(target)) == Path.cwd():
        raise ValueError(
            f"Cannot write {str(target)!r}: it is the folder in which you work. A name of its own is needed. "
            "Pass for instance 'my-volume.ome.tif'."
        )
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise FileExistsError(
            f"Cannot write {target}: it is a device or a pipe, and a file in its place would break it. "
            "A name of its own is needed. Pass for instance 'my-volume.ome.tif'."
        )
    if target.exists() and not overwrite:
        raise _exists(target)


def _exists(target: Path) -> FileExistsError:
    return FileExistsError(
        f"Cannot write {target}: it exists. A new name is needed, so that nothing on disk is lost. "
        "Choose another name, or replace it by passing overwrite=True."
    )


def check_name(target: Path) -> None:
    """Refuse a name that no file system takes."""
    size = len(os.fsencode(target.name))
    if size > 255 or "\0" in str(target):
        raise ValueError(
            f"Cannot write {target.name[:40]!r}...: its name has {size} bytes, or a zero in it. "
            "A name of at most 255 bytes is needed. Choose a shorter one."
        )


def check_replaceable(target: Path, own: Callable[[Path], set[str]], kind: str) -> None:
    """Refuse to replace a folder that holds more than an image, or a file by a folder."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(
            f"Cannot write {target}: it is a file, but a {kind} is a folder. "
            "A folder of that kind may be overwritten, or a new name. Choose another name."
        )
    foreign = sorted({p.name for p in target.iterdir()} - own(target))
    if foreign:
        raise FileExistsError(
            f"Cannot overwrite {target}: it holds {len(foreign)} entries not known to be of a {kind}, "
            f"for instance {foreign[0]!r}, and they would be lost. Only an image alone is replaced. "
            "Move the other files away, or choose another name."
        )


def _move(part: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists() and not overwrite:  # it has come while ours was written
        raise _exists(target)
    if not overwrite and not part.is_dir() and _link(part, target):
        return
    if not (part.is_dir() and target.exists()):
        part.replace(target)
        return
    # A folder that is not empty cannot be replaced in one step: the old one steps aside first.
    aside = target.with_name(f".old-{secrets.token_hex(4)}-{target.name[-_KEPT:]}")
    target.rename(aside)
    try:
        part.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    _remove(aside)


def _link(part: Path, target: Path) -> bool:
    """Give a file its name, and refuse if another has it, in one step; False where that is not possible."""
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:  # a file system without hard links: what came meanwhile has been looked for just now
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
