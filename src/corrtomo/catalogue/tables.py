"""One table of all entries, and questions to it in SQL."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Sequence
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from .parquet import ADDED, ENTRY, connect, identifier, literal, load
from .place import ENTRIES, MEASUREMENTS, files
from .place import find as find_catalogue
from .questions import EXAMPLE, ask, check_condition, check_select

_MEMORY = "1GB"
_INNER = {"measured": "MAP(VARCHAR, DOUBLE)"}


def table(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Return one table of all entries of a catalogue.

    Parameters
    ----------
    folder : str or path
        The catalogue.

    Returns
    -------
    pandas.DataFrame
        One row an entry, by its id, in the order in which they were added: what it is, sizes in voxels,
        voxel sizes in µm, alignment, who and how, and one column a measurement: its latest number, NaN where
        it was not measured.

    Raises
    ------
    FileNotFoundError
        If there is no catalogue.

    Warns
    -----
    UserWarning
        If a Parquet file cannot be read: it is named, and all others are in the table.

    Notes
    -----
    The table says what was stated when an image was added. Whether the images are still there, and still the
    same, is looked at by :func:`corrtomo.catalogue.open` and :func:`corrtomo.catalogue.check`.
    """
    return find(folder)


def find(folder: str | os.PathLike[str], where: str | None = None, **equals: Any) -> pd.DataFrame:
    """Return the entries for which a condition holds.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    where : str, optional
        A condition of SQL on the columns of :func:`table`, for instance ``"voxel_x_um < 0.1"``.
    **equals : str, float, None or list
        Columns and what they must be: a value, None for what is not stated, or a list of values.

    Returns
    -------
    pandas.DataFrame
        As :func:`table`; empty where none fits.

    Raises
    ------
    KeyError
        If there is no such column; near ones are named.
    ValueError
        If `where` is not one condition.

    Notes
    -----
    Put what a user typed into `equals`, never into `where`: values there are passed on, not read as SQL.

    Examples
    --------
    >>> import tempfile
    >>> import corrtomo as ct
    >>> from corrtomo import catalogue
    >>> folder = tempfile.TemporaryDirectory()
    >>> facts = {"instrument": "drawn", "who": "A. Reader", "how": "by hand"}
    >>> for sample, kappa in (("a", 0.5), ("b", 0.9)):
    ...     image = ct.volume([[1, 2], [3, 4]], 0.5)
    ...     entry = catalogue.add(folder.name, image, sample=sample, measurements={"kappa": kappa}, **facts)
    >>> catalogue.find(folder.name, "kappa > 0.8")["sample"].tolist()
    ['b']
    >>> catalogue.find(folder.name, sample=["a", "c"])["kappa"].tolist()
    [0.5]
    >>> folder.cleanup()
    """
    with _opened(folder) as database:
        known = [row[0] for row in database.execute("DESCRIBE entries").fetchall()]
        parts, values = _conditions(equals, known)
        if where is not None:
            # On lines of its own: a comment in it must not end ours.
            parts.append(f"(\n{check_condition(where)}\n)")
        condition = f" WHERE {' AND '.join(parts)}" if parts else ""
        found = ask(database, f"SELECT * FROM entries{condition} ORDER BY time_utc, id", values)
    return found.set_index("id")


def query(folder: str | os.PathLike[str], sql: str) -> pd.DataFrame:
    """Ask a catalogue a question in SQL, read-only.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    sql : str
        One SELECT (or FROM, WITH, DESCRIBE) over the tables ``entries``, as :func:`table` shows it, and
        ``measurements``, as :func:`measurements` does.

    Returns
    -------
    pandas.DataFrame
        The answer, at most a million rows.

    Raises
    ------
    ValueError
        If it is not one statement that only reads, names something unknown, or its answer is too large.

    Notes
    -----
    DuckDB answers from a copy in memory that can reach neither other files nor the net: nothing in a
    question can change the catalogue, or read beyond it.
    """
    with _opened(folder) as database:
        return ask(database, check_select(sql), [])


def measurements(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Return every number that was ever added, with who measured it, how and when.

    Parameters
    ----------
    folder : str or path
        The catalogue.

    Returns
    -------
    pandas.DataFrame
        One row a number, the oldest first: entry, name, value, who, how, corrtomo_version, time_utc.

    Raises
    ------
    FileNotFoundError
        If there is no catalogue.
    """
    with _opened(folder) as database:
        return ask(database, "SELECT * FROM measurements ORDER BY time_utc, entry, name", [])


def load_all(database: duckdb.DuckDBPyConnection, root: Path) -> dict[Path, str]:
    """Make the tables ``entries`` and ``measurements``; return the files that cannot be read, and why."""
    broken = load(database, "stated", files(root, ENTRIES), ENTRY | _INNER)
    broken |= load(database, "added", files(root, MEASUREMENTS), ADDED)
    fields = "measured, who, how, corrtomo_version, time_utc"
    database.execute(
        "CREATE TABLE measurements AS SELECT id AS entry, pair.key AS name, pair.value AS value, "
        "who, how, corrtomo_version, time_utc FROM (SELECT id, unnest(map_entries(measured)) AS pair, * "
        f"EXCLUDE (id, measured) FROM (SELECT id, {fields} FROM stated UNION ALL SELECT id, {fields} "
        "FROM added SEMI JOIN (SELECT id FROM stated) USING (id)))"
    )
    names = [
        row[0] for row in database.execute("SELECT DISTINCT name FROM measurements ORDER BY 1").fetchall()
    ]
    latest = "".join(
        f", arg_max(value, time_utc) FILTER (name = {literal(name)}) AS {identifier(name)}" for name in names
    )
    columns = ", ".join(f"stated.{identifier(name)}" for name in ENTRY)
    measured = ", ".join(f"latest.{identifier(name)}" for name in names)
    database.execute(
        f"CREATE TABLE entries AS SELECT {columns}{', ' if names else ''}{measured} FROM stated LEFT JOIN "
        f"(SELECT entry{latest} FROM measurements GROUP BY entry) AS latest ON latest.entry = stated.id"
    )
    return broken


def _opened(folder: str | os.PathLike[str]) -> duckdb.DuckDBPyConnection:
    """Return a database with the tables, from which nothing else can be reached."""
    root = find_catalogue(folder)
    database = connect()
    broken = load_all(database, root)
    for name in ("stated", "added"):
        database.execute(f"DROP TABLE {name}")
    for setting in (f"memory_limit = '{_MEMORY}'", "temp_directory = ''", "enable_external_access = false"):
        database.execute(f"SET {setting}")
    database.execute("SET lock_configuration = true")
    if broken:
        named = ", ".join(f"{path.parent.name}/{path.name} ({why})" for path, why in broken.items())
        warnings.warn(
            f"Left out {len(broken)} files of the catalogue {root} that cannot be read: {named}. "
            "All others are there. See ct.catalogue.check(folder); restore the files from a copy.",
            stacklevel=4,
        )
    return database


def _conditions(equals: dict[str, Any], known: Sequence[str]) -> tuple[list[str], list[Any]]:
    """Turn columns and values into SQL with a parameter for each value."""
    parts, values = [], []
    for name, value in equals.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known[:3])
            raise KeyError(
                f"Cannot find entries by {name!r}: the table has no such column. Near it are "
                f"{', '.join(near)}. List all with ct.catalogue.table(folder).columns."
            )
        several = list(value) if isinstance(value, list | tuple | set | np.ndarray | pd.Series) else [value]
        given = [_plain(name, v) for v in several if v is not None]
        options = [f"{identifier(name)} IN ({', '.join('?' * len(given))})"] if given else []
        options += [f"{identifier(name)} IS NULL"] if len(given) < len(several) else []
        parts.append(f"({' OR '.join(options) or 'false'})")
        values += given
    return parts, values


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, str | Real | datetime):
        raise TypeError(
            f"Cannot find entries by {name}={value!r}: texts and numbers can be compared. "
            f"Pass one, or a list of them; for other conditions use where={EXAMPLE}."
        )
    return value
