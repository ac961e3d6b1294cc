from __future__ import annotations

from ..clusters.answers import Answers, far_away

__all__ = ["far_away"]


class TestAnswers(Answers):
    """The tools of the real Slurm."""
