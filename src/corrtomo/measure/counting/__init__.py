"""What counted ions and X-rays say: detected or not, how many in which class, together or not."""

from .colocalisation import Colocalisation, colocalisation
from .detection_limit import DetectionLimit, detection_limit
from .phase_counts import phase_counts

__all__ = ["Colocalisation", "DetectionLimit", "colocalisation", "detection_limit", "phase_counts"]
