"""Tables that a reader hands in: marks, and positions of slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def check_columns(table: pd.DataFrame, needed: Sequence[str], *, doing: str, advice: str) -> None:
    """Refuse a table in which a needed column is missing, doubled, or holds anything but finite numbers."""
    missing = [name for name in needed if name not in table]
    if missing:
        raise ValueError(
            f"Cannot {doing}: it has no column {', '.join(missing)}. Needed are {', '.join(needed)}. {advice}"
        )
    doubled = [name for name in needed if list(table.columns).count(name) > 1]
    if doubled:
        raise ValueError(
            f"Cannot {doing}: it has more than one column {', '.join(doubled)}. One of each of "
            f"{', '.join(needed)} is needed. Drop the others, for instance with "
            "table.loc[:, ~table.columns.duplicated()]."
        )
    wrong = [name for name in needed if table[name].dtype.kind not in "iuf"]
    if wrong or not np.isfinite(table[list(needed)].to_numpy(float)).all():
        raise ValueError(
            f"Cannot {doing}: {', '.join(wrong) or 'a row'} of the table holds no finite number. Numbers "
            f"are needed in every row of {', '.join(needed)}, lengths in µm."
        )
