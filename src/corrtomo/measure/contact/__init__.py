"""How much of one phase touches another, how sure that is, and how large a volume shows a change."""

from .bias import contact_bias
from .blocks import contact_blocks
from .fraction import contact_fraction, contact_profile
from .interval import ContactDrop, contact_drop, contact_interval
from .power import ContactPower, contact_power
from .surface import contact_surface
from .variogram import EffectiveSamples, effective_sample_size, variogram

__all__ = [
    "ContactDrop",
    "ContactPower",
    "EffectiveSamples",
    "contact_bias",
    "contact_blocks",
    "contact_drop",
    "contact_fraction",
    "contact_interval",
    "contact_power",
    "contact_profile",
    "contact_surface",
    "effective_sample_size",
    "variogram",
]
