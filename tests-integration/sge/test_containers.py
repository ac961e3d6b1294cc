"""Containers in the tasks of the real Grid Engine."""

from __future__ import annotations

from ..clusters.containers import Containers


class TestContainers(Containers):
    """What holds for every cluster."""
