from __future__ import annotations

from ..clusters.calls import Calls


class TestCalls(Calls):
    """The tools of the real Slurm."""
