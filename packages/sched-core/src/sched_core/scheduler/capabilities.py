"""What a backend can do, and what the base needs to know of its engine."""

from __future__ import annotations

from typing import ClassVar, Literal

__all__ = ["Capabilities"]


class Capabilities:
    """Facts about an engine. The defaults fit one that is asked and has a queue of its own."""

    max_batch: int = 1000
    """How many jobs one submission can hold."""

    chunk: int = 1
    """How many jobs share one of the engine's tasks, which runs them one after the other."""

    batch_delay: ClassVar[float] = 0.1
    """How long a job waits for others to share its submission, in seconds."""

    queue_ahead: int = 64
    """How many jobs more than `forks` are kept in a queue that throttles."""

    usual_forks: ClassVar[int | None] = None
    """What the command line takes for `forks` by default; None for the usable cores."""

    pushes: ClassVar[bool] = False
    """Whether `watch` reports by itself, so that only silent jobs are asked about."""

    throttles: ClassVar[bool] = False
    """Whether the engine itself keeps to `forks`, so that more may wait in its queue."""

    ends_jobs: ClassVar[bool] = False
    """Whether the engine itself ends jobs by signals (its limits, a requeue), so that it is asked why
    one has ended so."""

    kills_one: ClassVar[bool] = True
    """Whether one job of a submission can be killed alone."""

    shared_disk: ClassVar[bool] = True
    """Whether driver and jobs see the same folder."""

    containers: ClassVar[bool] = False
    """Whether its wrappers can run a job's command in a container."""

    keeps_containers: ClassVar[bool] = False
    """Whether one container can serve several jobs: their wrappers run in shells that live on."""

    enforces_resources: ClassVar[bool] = False
    """Whether the engine itself holds jobs to what they asked for, so that no container has to."""

    movable: ClassVar[bool] = False
    """Whether the run's folder may have another path where jobs run, so that their scripts find it
    from where they lie."""

    exclusive_create: ClassVar[bool] = True
    """Whether creating a file exclusively is a lock there; it is not on a mounted bucket."""

    outlives_driver: ClassVar[bool] = True
    """Whether the engine's queue is still there when the driver is not."""

    runs_unattended: ClassVar[bool] = True
    """Whether jobs are left running when the driver's terminal is gone, and not killed with it."""

    events: ClassVar[Literal["always", "fallback"]] = "always"
    """Whether wrappers tell of each job in the spool, or only of what they cannot record."""

    poll_interval: ClassVar[tuple[float, float]] = (1.0, 30.0)
    """Seconds between two questions for all jobs: at least, and while nothing changes."""

    spool_interval: float = 0.5
    """Seconds between two looks at what wrappers tell in the spool: one listing for all jobs."""

    wrapper_jid: ClassVar[str] = ""
    """A bash expression of the engine's id for the job; empty for the wrapper's own pid."""

    wrapper_host: ClassVar[str] = ""
    """A bash expression of the engine's name for the host; empty for the host's own name."""

    wrapper_restart: ClassVar[str] = "0"
    """A bash expression of how often the engine started the job again."""
