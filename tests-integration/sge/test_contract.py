from __future__ import annotations

import pytest

from ..clusters.contract import ClusterContract
from .helpers import Asked


@pytest.mark.usefixtures("sge")
class TestSge(ClusterContract):
    scheduler_class = Asked
