"""What a scene refuses."""

from __future__ import annotations


class SceneError(RuntimeError):
    """The alignments of a scene do not answer, or contradict each other."""
