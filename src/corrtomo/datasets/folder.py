"""The files of a reader's folder, by the names that chapters know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def files_named(folder: Path, names: Sequence[str], *, kind: str, hint: str = "") -> dict[str, Path]:
    """Find the one file of each name in a folder, whatever its format; only the first name must be there.

    Parameters
    ----------
    folder : path
        Where to look.
    names : sequence of str
        Names without their suffix.
    kind, hint : str
        What the folder is taken for, and what else could be done: for the message.

    Returns
    -------
    dict of str to path
        The names that are there.

    Raises
    ------
    ValueError
        If the first name is missing, or several files answer to one name.
    """
    found: dict[str, Path] = {}
    for name in names:
        matches = sorted(p for p in folder.iterdir() if p.name == name or p.name.startswith(f"{name}."))
        if len(matches) > 1 or (name == names[0] and not matches):
            raise ValueError(
                f"Cannot take {folder} as a {kind}: {len(matches)} files are named {name}.*"
                f"{''.join(f' {p.name}' for p in matches)}. One is needed of {names[0]}, and one or none of "
                f"{', '.join(names[1:-1])} and {names[-1]}, in any format of ct.read(). Rename yours{hint}."
            )
        if matches:
            found[name] = matches[0]
    return found
