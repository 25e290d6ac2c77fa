"""What a chapter loads: digital twins, and published real data."""

from .cell_images import Cell
from .cell_loading import load_cell
from .correlated import Correlated
from .days import load_days
from .drawn import drawn_particles
from .fields_of_view import fields_of_view
from .kintsugi_nmc import kintsugi_figure
from .loading import load
from .pillar_loading import load_pillar
from .real import fetch, reachable, sources
from .sample import Sample, from_files
from .section import Section
from .section_loading import load_section
from .stack import Stack
from .stack_loading import load_phases, load_polished, load_stack, load_states
from .twin_settings import twin_settings

__all__ = [
    "Cell",
    "Correlated",
    "Sample",
    "Section",
    "Stack",
    "drawn_particles",
    "fetch",
    "fields_of_view",
    "from_files",
    "kintsugi_figure",
    "load",
    "load_cell",
    "load_days",
    "load_phases",
    "load_pillar",
    "load_polished",
    "load_section",
    "load_stack",
    "load_states",
    "reachable",
    "sources",
    "twin_settings",
]
