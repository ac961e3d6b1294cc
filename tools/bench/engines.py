"""The cases on a real engine, which the benchmark starts itself, as the tests do."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from .calls import Counted
from .contest import Entry, Took, figures_of, take
from .figures import Figure
from .measuring import Environment, Failed, timed, workload
from .sizes import Sizes

__all__ = [
    "ENGINES",
    "SGE",
    "SLURM",
    "Engine",
    "array",
    "by_hand",
    "measure",
    "rig_class",
    "started",
    "told",
]

_ROOT = Path(__file__).resolve().parents[2]
_RUN = "run"
_LIMIT = 900.0
_LOOK = 0.05
"""Seconds between two looks at whether the array that was submitted by hand is done."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What is particular to one: its rig, its tools, and an array as its manual shows it."""

    name: str
    title: str
    """What is submitted by hand."""
    rig: str
    """MODULE:CLASS below tests-integration."""
    tools: Sequence[str]
    submit: Sequence[str]
    """The command that submits the script by hand, with {jobs}, and {last} counted from 0."""
    task: str
    """Shell for the number of the task, counted from 0."""
    ours_in: str | None = None
    """Where our scheduler runs the tools from, if not from PATH."""

    def tool_paths(self, folder: str | None = None) -> dict[str, str]:
        """Return where the tools are, in a folder or in PATH. Raises Failed."""
        paths = {tool: shutil.which(tool, path=folder) for tool in self.tools}
        missing = [tool for tool, path in paths.items() if path is None]
        if missing:
            raise Failed(f"{', '.join(missing)} not found")
        return {tool: path for tool, path in paths.items() if path is not None}


SLURM = Engine(
    name="slurm",
    title="one sbatch --array",
    rig="tests-integration.slurm.cluster:SlurmCluster",
    tools="sbatch squeue scancel scontrol sacct".split(),
    submit="sbatch --parsable --output=/dev/null --array=0-{last}".split(),
    task="$SLURM_ARRAY_TASK_ID",
)

SGE = Engine(
    name="sge",
    title="one qsub -t",
    rig="tests-integration.sge.cluster:SgeCluster",
    tools="qsub qstat qdel qalter qacct qconf".split(),
    submit="qsub -terse -S /bin/bash -o /dev/null -j y -t 1-{jobs}".split(),
    task="$((SGE_TASK_ID - 1))",
    ours_in="/usr/lib/gridengine",  # as it finds out: Debian's scripts in PATH cost ten times more
)


# --- the array by hand ----------------------------------------------------------------------------


def by_hand(engine: Engine, jobs: int, folder: Path, env: Environment) -> float:
    """Submit the wrappers of the finished run in `folder` again, as one array; return the seconds
    until all have recorded their ends.
    """
    spool = _unstarted(engine, jobs, folder)
    wrapper = f"{shlex.quote(os.fspath(folder / _RUN))}/{engine.task}/job.wrapped.{engine.name}"
    script = f"exec /bin/bash -p {wrapper}"
    return array(engine, script, jobs, folder, env, lambda: _ended(spool))


def array(
    engine: Engine,
    script: str,
    jobs: int,
    folder: Path,
    env: Environment,
    ended: Callable[[], int],
) -> float:
    """Submit an array whose tasks run these lines; return the seconds until so many have ended."""
    file = folder / "array.sh"
    file.write_text(f"#!/bin/bash\n{script}\n")
    command = [*(word.format(last=jobs - 1, jobs=jobs) for word in engine.submit), file.name]
    began = time.perf_counter()
    timed(command, folder, env=env)
    while (done := ended()) < jobs:
        if time.perf_counter() - began > _LIMIT:
            raise Failed(f"{done} of {jobs} tasks have ended after {_LIMIT:.0f} s")
        time.sleep(_LOOK)
    return time.perf_counter() - began


def _unstarted(engine: Engine, jobs: int, folder: Path) -> Path:
    """Put a run's wrappers where they were, without anything that they have recorded."""
    done = folder / "done"
    (folder / _RUN).rename(done)
    spool = folder / _RUN / ".sched" / "events"
    spool.mkdir(parents=True)
    for recorder in (done / ".sched").glob("recorder-*"):
        recorder.rename(spool.parent / recorder.name)
    for index in range(jobs):
        name = f"{index}/job.wrapped.{engine.name}"
        (folder / _RUN / str(index)).mkdir()
        (done / name).rename(folder / _RUN / name)
    return spool


def _ended(spool: Path) -> int:
    return sum(".FINISHED." in name for name in os.listdir(spool))


# --- the case -------------------------------------------------------------------------------------


@contextmanager
def started(engine: Engine) -> Iterator[Environment]:
    """Run the engine for the block; return the environment in which its tools find it."""
    with tempfile.TemporaryDirectory(prefix="sched-bench-", ignore_cleanup_errors=True) as root:
        with told():
            cluster = rig_class(engine.rig)(Path(root))
        try:
            with told():
                cluster.start()
            yield cluster.env | {"PATH": os.environ["PATH"]}
        finally:
            cluster.stop()


def rig_class(rig: str) -> Any:
    """Return a class below tests-integration, named as MODULE:CLASS."""
    if str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))
    module, _, name = rig.partition(":")
    return getattr(import_module(module), name)


@contextmanager
def told() -> Iterator[None]:
    """Let an engine that cannot be started be a row of the table."""
    try:
        yield
    except RuntimeError as error:
        raise Failed(str(error)) from error


def measure(engine: Engine, sizes: Sizes, scratch: Path) -> list[Figure]:
    """The same jobs by one array by hand and by the library, in turn."""
    jobs = sizes.engine_jobs
    hand = Entry(f"{engine.title} by hand", jobs, "the same wrappers")
    ours = Entry("Runner", jobs)
    with started(engine) as env:
        paths, own = engine.tool_paths(), engine.tool_paths(engine.ours_in)
        for number in range(sizes.engine_rounds):
            print(f"  round {number + 1} of {sizes.engine_rounds}", file=sys.stderr, flush=True)
            folder = scratch / f"round-{number}"
            folder.mkdir()
            turn = _Turn(folder, env)
            turn.take(ours, lambda at, its: _ours(engine, jobs, at, its), own)
            turn.take(hand, lambda at, its: (by_hand(engine, jobs, at, its), None), paths)
            shutil.rmtree(folder, ignore_errors=True)
    return figures_of(engine.name, hand, ours, judged=sizes.judged)


Act = Callable[[Path, Environment], Took]


class _Turn:
    """One round in a folder: each program with a count of its own, one after the other."""

    def __init__(self, folder: Path, env: Environment) -> None:
        self._folder = folder
        self._env = env
        self._number = 0

    def take(self, entry: Entry, act: Act, tools: Mapping[str, str]) -> None:
        """Let a program run."""
        self._number += 1
        counted = Counted(self._folder / f"counted-{self._number}", tools)
        env = counted.environment(self._env)
        take(entry, lambda: act(self._folder, env), counted.calls)


def _ours(engine: Engine, jobs: int, folder: Path, env: Environment) -> Took:
    measured = workload(engine.name, folder, env=env, jobs=jobs, forks=jobs)
    return float(measured["seconds"]), float(measured["cpu"])


ENGINES = {engine.name: engine for engine in (SLURM, SGE)}
