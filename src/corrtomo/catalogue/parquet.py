"""Parquet files by DuckDB: one row a file, written whole or not at all, and read though some are broken."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from ..io.atomic import replacing
from .fingerprint import settle_file, settle_folder
from .place import entry_of

ENTRY = {
    "id": "VARCHAR",
    "sample": "VARCHAR",
    "kind": "VARCHAR",
    "instrument": "VARCHAR",
    "name": "VARCHAR",
    "source": "VARCHAR",
    "derived_from": "VARCHAR",
    "aligned_onto": "VARCHAR",
    "alignment_error_um": "DOUBLE",
    "dtype": "VARCHAR",
    "channels": "VARCHAR",
    "size_z": "BIGINT",
    "size_y": "BIGINT",
    "size_x": "BIGINT",
    "voxel_z_um": "DOUBLE",
    "voxel_y_um": "DOUBLE",
    "voxel_x_um": "DOUBLE",
    "megabytes": "DOUBLE",
    "who": "VARCHAR",
    "how": "VARCHAR",
    "licence": "VARCHAR",
    "corrtomo_version": "VARCHAR",
    "time_utc": "TIMESTAMP",
    "sha256": "VARCHAR",
}
"""The columns of the table, and their types in DuckDB."""
INNER = {"measured": "MAP(VARCHAR, DOUBLE)", "alignment": "VARCHAR", "files": "MAP(VARCHAR, VARCHAR)"}
"""What else the file of an entry holds."""
ADDED = {
    "id": "VARCHAR",
    "measured": "MAP(VARCHAR, DOUBLE)",
    "who": "VARCHAR",
    "how": "VARCHAR",
    "corrtomo_version": "VARCHAR",
    "time_utc": "TIMESTAMP",
}
"""The columns of a file of measurements that were added later."""
MEASUREMENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""Names of measurements: each is a column of the table."""
_OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 2,
}


def connect() -> duckdb.DuckDBPyConnection:
    """Return a database in memory that takes nothing from the net, nor from the caller's variables."""
    database = duckdb.connect(":memory:", config=_OFFLINE)
    database.execute("SET python_enable_replacements = false")
    return database


def write_row(target: Path, row: Mapping[str, Any], columns: Mapping[str, str]) -> None:
    """Write one row to a new Parquet file; it has its name once it is whole and on the disk.

    Raises
    ------
    FileExistsError
        If there is such a file.
    """
    values = ", ".join(f"CAST(? AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    with replacing(target, overwrite=False) as part, connect() as database:
        try:
            database.execute(
                f"COPY (SELECT {values}) TO {literal(str(part))} (FORMAT parquet, USE_TMP_FILE false)",
                [row[name] for name in columns],
            )
        except duckdb.IOException as error:
            raise OSError(
                f"Cannot write {target}: {str(error).splitlines()[0]}. A disk with room, on which you may "
                "write, is needed; no entry was changed. Make room, and add it again."
            ) from error
        settle_file(part)
    settle_folder(target.parent)


def load(
    database: duckdb.DuckDBPyConnection, table: str, found: Sequence[Path], columns: Mapping[str, str]
) -> dict[Path, str]:
    """Make a table of all rows that can be read; return the files that cannot be, and why."""
    fields = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    database.execute(f"CREATE TABLE {identifier(table)} ({fields})")
    broken: dict[Path, str] = {}
    _load(database, table, list(found), columns, broken)
    return broken


def _load(
    database: duckdb.DuckDBPyConnection,
    table: str,
    found: list[Path],
    columns: Mapping[str, str],
    broken: dict[Path, str],
) -> None:
    """Read all files at once; where that fails, each half, until the broken ones are alone."""
    if not found:
        return
    try:
        database.execute("BEGIN")
        _read(database, table, found, columns)
        database.execute("COMMIT")
        return
    except (duckdb.Error, ValueError) as error:
        database.execute("ROLLBACK")
        if len(found) == 1:
            broken[found[0]] = str(error).splitlines()[0]
            return
    middle = len(found) // 2
    for half in (found[:middle], found[middle:]):
        _load(database, table, half, columns, broken)


def _read(
    database: duckdb.DuckDBPyConnection, table: str, found: list[Path], columns: Mapping[str, str]
) -> None:
    """Read files in one go, and refuse them where one is not what it should be."""
    if not all(path.is_file() for path in found):  # a pipe would be waited for
        raise ValueError("it is no file")
    paths = [glob.escape(str(path)) for path in found]  # DuckDB takes * ? [ in a path for a pattern
    named = ", ".join(map(identifier, columns))
    database.execute(
        f"CREATE TEMP TABLE incoming AS SELECT {named} FROM read_parquet(?, union_by_name = true)", [paths]
    )
    types = {row[0]: row[1] for row in database.execute("DESCRIBE incoming").fetchall()}
    wrong = [name for name, kind in columns.items() if types[name] != kind]
    if wrong:
        raise ValueError(f"its column {wrong[0]!r} is {types[wrong[0]]}, not {columns[wrong[0]]}")
    ids = sorted(str(row[0]) for row in database.execute("SELECT id FROM incoming").fetchall())
    if ids != sorted(map(entry_of, found)):
        raise ValueError("it does not hold one row, of the entry that its name says")
    query = "SELECT DISTINCT unnest(map_keys(measured)) FROM incoming"
    for (name,) in database.execute(query).fetchall() if "measured" in columns else ():
        if not MEASUREMENT.fullmatch(name) or name in ENTRY or name in INNER:
            raise ValueError(f"its measurement {name[:60]!r} has a name that no column can have")
    database.execute(f"INSERT INTO {identifier(table)} SELECT * FROM incoming")
    database.execute("DROP TABLE incoming")


def identifier(name: str) -> str:
    """Quote a name for SQL.

    Examples
    --------
    >>> identifier('d50"um')
    '"d50""um"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL, where no parameter can stand.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
