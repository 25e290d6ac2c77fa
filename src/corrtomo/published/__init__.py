"""The ledger: every number that the papers print, and ours beside it."""

from .compare import Check, Comparison, check, checks, read_checks
from .consistency import Arithmetic, arithmetic, arithmetic_table
from .ledger import Row, row, rows
from .page import as_html, table, unchecked

__all__ = [
    "Arithmetic",
    "Check",
    "Comparison",
    "Row",
    "arithmetic",
    "arithmetic_table",
    "as_html",
    "check",
    "checks",
    "read_checks",
    "row",
    "rows",
    "table",
    "unchecked",
]
