from __future__ import annotations

from ..clusters.drivers import Drivers


class TestDrivers(Drivers):
    """Drivers in odd places, on the real Slurm."""
