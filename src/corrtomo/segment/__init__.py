"""Grey values -> phases."""

from .by_elements import ByElements, by_elements
from .equalise import equalise
from .equalised_ternary import equalised_steps, equalised_ternary
from .fit_grey_and_gradient import fit_grey_and_gradient
from .foil import foil, foil_outgrowths
from .grain_boundaries import grain_boundaries
from .grey_and_gradient import grey_and_gradient
from .grooves import groove_gradient
from .labels import one_phase
from .layers import layer_labels, layers, outgrowths, unroll
from .morphology import closing, opening
from .pixels_by_elements import pixels_by_elements
from .small_features import remove_small_features
from .thresholds import by_thresholds, threshold_max_entropy, threshold_otsu
from .trained import PixelClassifier, boxes

__all__ = [
    "ByElements",
    "PixelClassifier",
    "boxes",
    "by_elements",
    "by_thresholds",
    "closing",
    "equalise",
    "equalised_steps",
    "equalised_ternary",
    "fit_grey_and_gradient",
    "foil",
    "foil_outgrowths",
    "grain_boundaries",
    "grey_and_gradient",
    "groove_gradient",
    "layer_labels",
    "layers",
    "one_phase",
    "opening",
    "outgrowths",
    "pixels_by_elements",
    "remove_small_features",
    "threshold_max_entropy",
    "threshold_otsu",
    "unroll",
]
