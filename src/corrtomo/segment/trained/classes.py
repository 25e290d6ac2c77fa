"""Classes that are painted, and what they are called in the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...phases import Phase

NOT_PAINTED = 255
_ALIASES = {
    "pores": Phase.PORE,
    "binder": Phase.CBD,
    "carbon binder": Phase.CBD,
    "particle": Phase.AM,
}


@dataclass(frozen=True)
class Classes:
    """Names of what is painted, in the order of their codes, and the name of each in the result."""

    names: tuple[str, ...]
    merged: tuple[str, ...]

    @classmethod
    def of(cls, classes: Any, merge: Mapping[str, str] | None) -> Classes:
        """Check the names.

        Examples
        --------
        >>> Classes.of(("binder", "edge", "depth"), {"edge": "pore", "depth": "pore"}).codes(merged=True)
        {'binder': 1, 'pore': 0}
        """
        if isinstance(classes, str | bytes) or not isinstance(classes, Sequence):
            raise TypeError(
                f"Cannot use classes {classes!r}: a sequence of names is needed, in the order of their codes "
                "in the scribbles. Pass for instance ('pore', 'binder', 'active material')."
            )
        names = tuple(name_of(c) for c in classes)
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice or not 2 <= len(names) < NOT_PAINTED:
            raise ValueError(
                f"Cannot use classes {names}: 2 to {NOT_PAINTED - 1} different names are needed"
                f"{f', but {twice[0]!r} stands there twice' if twice else ''}. Two classes may become one in "
                "the result: say so with merge={'platinum depth': 'pore'}."
            )
        pairs = {name_of(a): name_of(b) for a, b in dict(merge or {}).items()}
        unknown = sorted(set(pairs) - set(names))
        if unknown:
            raise ValueError(
                f"Cannot merge {unknown[0]!r}: it is none of the classes {names}. "
                "The keys of merge= are classes, its values names in the result."
            )
        made = cls(names, tuple(pairs.get(n, n) for n in names))
        for merged in (False, True):
            made.codes(merged=merged)
        return made

    def results(self, *, merged: bool) -> list[str]:
        """Return the names in the result, in order of first appearance."""
        return list(dict.fromkeys(self.merged if merged else self.names))

    def codes(self, *, merged: bool) -> dict[str, int]:
        """Return the code of each name in the result: those of the phases where all of them are phases."""
        names = self.results(merged=merged)
        phases = [phase_of(n) for n in names]
        if not self.are_phases(merged=merged):
            return {n: k for k, n in enumerate(names)}
        for k, phase in enumerate(phases):
            if phase in phases[:k]:
                raise ValueError(
                    f"Cannot tell {names[phases.index(phase)]!r} and {names[k]!r} apart in the result: both "
                    f"are the phase {phase!r}. Make them one with merge=, or give one of them another name."
                )
        return {n: int(p) for n, p in zip(names, phases, strict=True) if p is not None}

    def are_phases(self, *, merged: bool) -> bool:
        """Say whether every name in the result is a phase."""
        return all(phase_of(n) is not None for n in self.results(merged=merged))

    def table(self, *, merged: bool) -> npt.NDArray[np.uint8]:
        """Return the code in the result for each painted code."""
        codes = self.codes(merged=merged)
        return np.array([codes[n] for n in (self.merged if merged else self.names)], np.uint8)

    def places(self, *, merged: bool) -> npt.NDArray[np.int64]:
        """Return the place in :meth:`results` for each painted code."""
        names = self.results(merged=merged)
        return np.array([names.index(n) for n in (self.merged if merged else self.names)])


def name_of(value: Any) -> str:
    """Return the name of a class: a text, or the label of a phase."""
    if isinstance(value, Phase):
        return value.label
    if not isinstance(value, str) or not value.strip():
        raise TypeError(
            f"Cannot use {value!r} as the name of a class: a text or one of ct.Phase is needed. "
            "Pass for instance 'platinum edge' or ct.Phase.CBD."
        )
    return value


def phase_of(name: str) -> Phase | None:
    """Return the phase of a name: its label, its name in :class:`corrtomo.Phase`, or a short one.

    Examples
    --------
    >>> phase_of("active material"), phase_of("CBD"), phase_of("binder"), phase_of("platinum")
    (<Phase.AM: 2>, <Phase.CBD: 1>, <Phase.CBD: 1>, None)
    """
    known = {p.label: p for p in Phase} | {p.name.lower(): p for p in Phase} | _ALIASES
    found = known.get(name.strip().lower())
    return None if found is Phase.LEFT_OUT else found
