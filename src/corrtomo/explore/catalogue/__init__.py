"""The catalogue as a page that filters, plots and opens."""

from .catalogue import CatalogueExplorer, catalogue

__all__ = ["CatalogueExplorer", "catalogue"]
