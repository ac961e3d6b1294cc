"""How much each case does: in full, and as the smoke run that only shows that all of it works."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "SMOKE", "Sizes"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The counts of all cases."""

    name: str
    judged: bool
    """Whether the counts are those that the targets are for."""
    rounds: int
    throughput_jobs: int
    starts: int
    starts_behind: int
    ends: int
    queued_jobs: int
    small_run: int
    small_rounds: int
    large_run: int
    imports: int
    recorded_jobs: int
    resumed_jobs: int
    share: float
    """What share of its own count each runs of those side by side."""
    engine_rounds: int
    engine_jobs: int
    jobs_each: int
    """Jobs of Google Batch that are made one by one."""
    gbatch_rounds: int
    container_rounds: int
    container_jobs: int
    idle: int
    """Seconds for which hosts are left alone: more than a minute finds out whether each is asked once in one."""


FULL = Sizes(
    name="full",
    judged=True,
    rounds=5,
    throughput_jobs=2000,
    starts=30,
    starts_behind=1000,
    ends=500,
    queued_jobs=100_000,
    small_run=1000,
    small_rounds=6,
    large_run=100_000,
    imports=31,
    recorded_jobs=100_000,
    resumed_jobs=10_000,
    share=1.0,
    engine_rounds=5,
    engine_jobs=1000,
    jobs_each=200,
    gbatch_rounds=3,
    container_rounds=5,
    container_jobs=200,
    idle=90,
)

SMOKE = Sizes(
    name="smoke",
    judged=False,
    rounds=2,
    throughput_jobs=150,
    starts=3,
    starts_behind=50,
    ends=30,
    queued_jobs=3000,
    small_run=100,
    small_rounds=2,
    large_run=600,
    imports=3,
    recorded_jobs=3000,
    resumed_jobs=1000,
    share=0.02,
    engine_rounds=1,
    engine_jobs=40,
    jobs_each=10,
    gbatch_rounds=1,
    container_rounds=1,
    container_jobs=12,
    idle=2,
)
