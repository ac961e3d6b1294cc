from __future__ import annotations

import pytest

from ..clusters.contract import ClusterContract
from .helpers import Asked


@pytest.mark.usefixtures("slurm")
class TestSlurm(ClusterContract):
    scheduler_class = Asked
