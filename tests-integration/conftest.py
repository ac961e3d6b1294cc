from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from .containers.image import make_tree
from .engines import or_skip

# Pipeline frameworks are in the environment of the examples.
collect_ignore_glob = [] if find_spec("pipen") else ["*/test_pipelines.py"]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an image for containers; for Apptainer they are the image."""
    folder = tmp_path_factory.mktemp("image") / "tree"
    with or_skip():
        make_tree(folder)
    return folder
