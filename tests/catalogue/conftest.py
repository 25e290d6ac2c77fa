"""A small catalogue, filled."""

import datetime
import shutil
from pathlib import Path

import numpy as np
import pytest

from corrtomo import catalogue
from corrtomo.phases import as_labels

from .catalogued import FACTS, Filled, drawn, shift


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    folder, image = tmp_path_factory.mktemp("filled") / "catalogue", drawn()
    began = datetime.datetime.now(datetime.UTC)
    first = catalogue.add(folder, image, **FACTS, licence="CC-BY-4.0")
    codes = as_labels(image.copy(data=(image.values > 128).astype(np.uint8)))
    numbers = {"kappa": 0.5, "pore_fraction": 0.25}
    labels = catalogue.add(folder, codes, **FACTS, of=first, measurements=numbers)
    moved = catalogue.add(folder, drawn(1), **FACTS, alignment=shift(), onto=first)
    return Filled(folder, image, first, labels, moved, (began, datetime.datetime.now(datetime.UTC)))


@pytest.fixture
def filled(original: Filled, tmp_path: Path) -> Filled:
    """Give each test a copy of its own."""
    shutil.copytree(original.folder, tmp_path / "catalogue")
    return original._replace(folder=tmp_path / "catalogue")
