"""Running an engine's tools: with a limit, a clean environment, and a count of the calls."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

import anyio
from anyio.abc import Process

from sched_core import (
    BackendError,
    EngineUnavailable,
    SubmitOutcomeUnknown,
    SubmitRejected,
)

__all__ = ["GRID_ENGINE_JOB", "Answer", "Toolbox", "Verdict", "clean_environment"]

E = TypeVar("E", bound=BackendError)

Verdict = Literal["rejected", "unavailable", "unknown"]
"""What a tool that failed has done with a job: refused it, never got it, or nobody knows."""

_FAMILIES = ("SLURM_", "SGE_", "PBS_", "PMI_", "PMIX_")
"""Variables that tell a job who it is: the next submission must not take them for its own."""
_SHAPES = ("SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SCONTROL_")
"""Variables that change what the tools ask and print."""
_OF_JOBS = ("SBATCH_", "SALLOC_", "SRUN_")
"""A user's wishes outside of a job; inside of one, its traces."""
_OF_OURS = frozenset({"SCHED_JOB_TOKEN", "SCHED_TASK_TOKEN", "SCHED_RESTARTS"})
"""What marks the processes of a job: a job that this one submits is another."""
_KEPT = frozenset(
    """SLURM_CONF SLURM_CONF_SERVER SLURM_JWT SLURM_CLUSTERS SGE_ROOT SGE_CELL SGE_CLUSTER_NAME
    SGE_QMASTER_PORT SGE_EXECD_PORT SGE_ARCH SGE_SINGLE_LINE""".split()
)
"""Where the engine is found."""
GRID_ENGINE_JOB = frozenset(
    """JOB_ID JOB_NAME JOB_SCRIPT NSLOTS NHOSTS NQUEUES PE PE_HOSTFILE QUEUE REQNAME REQUEST RESTARTED
    RESTARTS ARC ENVIRONMENT TASK_ID""".split()
)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what a job, in which the driver may run, has left there."""
    inside = any(name in environment for name in ("SLURM_JOB_ID", "SLURM_JOBID", "SGE_TASK_ID"))
    dropped = _FAMILIES + _SHAPES + (_OF_JOBS if inside else ())
    names = _OF_OURS | (GRID_ENGINE_JOB if "SGE_TASK_ID" in environment else frozenset())
    return {
        name: value
        for name, value in environment.items()
        if name in _KEPT or not (name.startswith(dropped) or name in names)
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool returned and printed; bytes that are no text stand as U+FFFD."""

    command: Sequence[str]
    returncode: int
    stdout: str
    stderr: str

    def error(self, cls: type[E], message: str) -> E:
        """Return an error about this answer."""
        return cls(message, command=self.command, returncode=self.returncode, stderr=self.stderr)

    def refusal(self, verdict: Verdict, words: str) -> BackendError:
        """Return what a submission raises that ended so; of a tool that was killed nothing is known."""
        if self.returncode < 0 or verdict == "unknown":
            return self.error(SubmitOutcomeUnknown, words)
        if verdict == "unavailable":
            return self.error(EngineUnavailable, words)
        return self.error(SubmitRejected, words)


class Toolbox:
    """The programs of one engine."""

    def __init__(
        self,
        programs: Mapping[str, str],
        patience: float,
        inherited: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        """Run these programs, each for at most `patience` seconds.

        `inherited` returns the environment that they get; by default it is this process's own.
        """
        self._programs = programs
        self._patience = patience
        self._inherited = inherited or (lambda: os.environ)
        self.calls: Counter[str] = Counter()
        """How often each was run."""

    def __getitem__(self, name: str) -> str:
        return self._programs[name]

    def check(self, *names: str) -> None:
        """Raise EngineUnavailable for the first program that is not there."""
        for name in names:
            if shutil.which(self[name]) is None:
                raise EngineUnavailable(
                    f"{self[name]} is not to be found: put it into PATH, or name it with {name}="
                )

    async def run(
        self, argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a tool to its end. Raises TimeoutError, EngineUnavailable where it cannot be run.

        Only its own end counts: a child that it leaves behind may keep its output open.
        """
        self.calls[self._name_of(argv[0])] += 1
        environment = clean_environment(self._inherited()) | dict(extra or {})
        with _Memory() as given, _Memory() as told, _Memory() as complained:
            given.fill(stdin)
            try:
                process = await anyio.open_process(
                    argv,
                    stdin=given.fd,
                    stdout=told.fd,
                    stderr=complained.fd,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise EngineUnavailable(
                    f"{argv[0]} cannot be run: {error}", command=argv
                ) from error
            returncode = await self._end_of(process)
            return Answer(argv, returncode, told.text(), complained.text())

    async def _end_of(self, process: Process) -> int:
        try:
            with anyio.fail_after(self._patience):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                with anyio.CancelScope(shield=True):
                    await process.wait()

    def _name_of(self, program: str) -> str:
        return next((name for name, path in self._programs.items() if path == program), program)


class _Memory:
    """A file without a name: a pipe would have to be read while the tool runs."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("sched")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def fill(self, data: bytes) -> None:
        os.write(self.fd, data)
        os.lseek(self.fd, 0, os.SEEK_SET)

    def text(self) -> str:
        return os.pread(self.fd, os.fstat(self.fd).st_size, 0).decode("utf-8", "replace")
