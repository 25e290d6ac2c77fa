"""What users ask in SQL: one condition, or one question that only reads; its answer fits in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd

EXAMPLE = "\"kind = 'labels' AND voxel_x_um < 0.1\""
_MOST_ROWS = 1_000_000
_MOST_BYTES = 1 << 30
_LONGEST_S = 60.0


def check_condition(where: Any) -> str:
    """Refuse a condition that is none, or more than one."""
    if not isinstance(where, str) or not where.strip():
        raise TypeError(
            f"Cannot find entries where {where!r}: a condition of SQL is needed. "
            f"Pass for instance {EXAMPLE}, or leave where out."
        )
    try:
        kinds = [part.type for part in duckdb.extract_statements(f"SELECT 1 WHERE (\n{where}\n)")]
    except (duckdb.Error, TypeError) as error:  # TypeError: half a character is in it
        raise _no_condition(where, error) from error
    if kinds != [duckdb.StatementType.SELECT]:
        raise _no_condition(where, "it is more than one statement")
    return where


def _no_condition(where: str, why: object) -> ValueError:
    return ValueError(
        f"Cannot find entries where {where[:200]!r}: {str(why).splitlines()[0]}. One condition of SQL on the "
        f"columns of ct.catalogue.table() is needed. Pass for instance {EXAMPLE}."
    )


def check_select(sql: Any) -> str:
    """Refuse what is not one statement that only reads."""
    if not isinstance(sql, str) or not sql.strip():
        raise TypeError(
            f"Cannot ask {sql!r}: one SELECT of SQL is needed. "
            "Pass for instance 'SELECT sample, avg(kappa) FROM entries GROUP BY sample'."
        )
    try:
        kinds = [part.type for part in duckdb.extract_statements(sql)]
    except (duckdb.Error, TypeError) as error:
        raise _no_answer(sql, error) from error
    if kinds != [duckdb.StatementType.SELECT]:
        named = ", ".join(kind.name for kind in kinds) or "nothing"
        raise _no_answer(sql, f"it holds {named}, and a catalogue answers one SELECT")
    return sql


def ask(database: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]) -> pd.DataFrame:
    """Answer, and refuse an answer that would fill the memory."""
    clock = threading.Timer(_LONGEST_S, database.interrupt)
    clock.daemon = True
    clock.start()
    try:
        chunks, size = [], 0
        answer = database.execute(sql, values)
        names = [field[0] for field in answer.description or ()]
        while len(chunk := answer.fetch_df_chunk(vectors_per_chunk=1)):
            chunks.append(chunk)
            size += int(chunk.memory_usage(deep=True).sum())
            if size > _MOST_BYTES:
                raise _no_answer(sql, f"it is of more than {_MOST_BYTES / 1e9:.1f} GB")
            if sum(map(len, chunks)) > _MOST_ROWS:
                raise _no_answer(sql, f"it has more than {_MOST_ROWS} rows")
    except duckdb.InterruptException as error:
        raise _no_answer(sql, f"it takes more than {_LONGEST_S:g} s") from error
    except duckdb.Error as error:
        raise _no_answer(sql, error) from error
    finally:
        clock.cancel()
    empty = pd.DataFrame({name: [] for name in names})
    return pd.concat(chunks, ignore_index=True) if chunks else empty


def _no_answer(sql: str, why: object) -> ValueError:
    return ValueError(
        f"Cannot answer {sql[:200]!r}: {str(why).splitlines()[0]}. One SELECT over the tables entries and "
        "measurements is needed. Their columns are those of ct.catalogue.table() and "
        "ct.catalogue.measurements()."
    )
