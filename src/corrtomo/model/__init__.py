"""Numbers and labels -> inputs of simulations."""

from .discharge import Discharge, discharge
from .mesh import write_mesh
from .microstructure import Microstructure, microstructure
from .pybamm_parameters import pybamm_parameters

__all__ = ["Discharge", "Microstructure", "discharge", "microstructure", "pybamm_parameters", "write_mesh"]
