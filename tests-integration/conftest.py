from __future__ import annotations

from pathlib import Path

import pytest

from .containers.image import make_tree
from .engines import or_skip


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an image for containers; for Apptainer they are the image."""
    folder = tmp_path_factory.mktemp("image") / "tree"
    with or_skip():
        make_tree(folder)
    return folder
