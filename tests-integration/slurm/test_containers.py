"""Containers in the tasks of the real Slurm."""

from __future__ import annotations

from ..clusters.containers import Containers


class TestContainers(Containers):
    """What holds for every cluster."""
