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
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from .calls import Counted
from .contest import Entry, Took, figures_of, take
from .figures import Figure
from .measuring import Environment, Failed, timed, workload
from .peers import NOT_INSTALLED, Peer, peer_version, run_peer
from .sizes import Sizes

__all__ = [
    "ENGINES",
    "Engine",
    "by_hand",
    "measure",
    "peer_entry",
    "peer_took",
    "rig_class",
    "told",
]

_ROOT = Path(__file__).resolve().parents[2]
_RUN = "run"
_LIMIT = 900.0
_PEER_LIMIT = 120.0
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
    peers: Sequence[tuple[str, str, str]]
    """Package, function of peer.py, note; without a function the note says why not."""
    ours_in: str | None = None
    """Where our scheduler runs the tools from, if not from PATH."""

    def tool_paths(self, folder: str | None = None) -> dict[str, str]:
        """Return where the tools are, in a folder or in PATH. Raises Failed."""
        paths = {tool: shutil.which(tool, path=folder) for tool in self.tools}
        missing = [tool for tool, path in paths.items() if path is None]
        if missing:
            raise Failed(f"{', '.join(missing)} not found")
        return {tool: path for tool, path in paths.items() if path is not None}


_XQUTE = "sleep 1 in place of true, with which it hangs"

SLURM = Engine(
    name="slurm",
    title="one sbatch --array",
    rig="tests-integration.slurm.cluster:SlurmCluster",
    tools="sbatch squeue scancel scontrol sacct".split(),
    submit="sbatch --parsable --output=/dev/null --array=0-{last}".split(),
    task="$SLURM_ARRAY_TASK_ID",
    peers=[
        ("xqute", "xqute-slurm", _XQUTE),
        ("psij-python", "psij-python-slurm", "as its manual shows it"),
    ],
)

SGE = Engine(
    name="sge",
    title="one qsub -t",
    rig="tests-integration.sge.cluster:SgeCluster",
    tools="qsub qstat qdel qalter qacct qconf".split(),
    submit="qsub -terse -S /bin/bash -o /dev/null -j y -t 1-{jobs}".split(),
    task="$((SGE_TASK_ID - 1))",
    peers=[
        ("xqute", "xqute-sge", _XQUTE),
        ("psij-python", "", "has no executor for Grid Engine"),
    ],
    ours_in="/usr/lib/gridengine",  # as it finds out: Debian's scripts in PATH cost ten times more
)


# --- the array by hand ----------------------------------------------------------------------------


def by_hand(engine: Engine, jobs: int, folder: Path, env: Environment) -> float:
    """Submit the wrappers of the finished run in `folder` again, as one array; return the seconds
    until all have recorded their ends.
    """
    spool = _unstarted(engine, jobs, folder)
    script = folder / "array.sh"
    wrapper = f"{shlex.quote(os.fspath(folder / _RUN))}/{engine.task}/job.wrapped.{engine.name}"
    script.write_text(f"#!/bin/bash\nexec /bin/bash -p {wrapper}\n")
    command = [*(word.format(last=jobs - 1, jobs=jobs) for word in engine.submit), script.name]
    began = time.perf_counter()
    timed(command, folder, env=env)
    while _ended(spool) < jobs:
        if time.perf_counter() - began > _LIMIT:
            raise Failed(f"{_ended(spool)} of {jobs} tasks have ended after {_LIMIT:.0f} s")
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
def _started(engine: Engine) -> Iterator[Environment]:
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


def measure(engine: Engine, sizes: Sizes, peers: Sequence[Peer], scratch: Path) -> list[Figure]:
    """The same jobs by one array by hand, by the library, and by its peers, in turn."""
    jobs = sizes.engine_jobs
    hand = Entry(f"{engine.title} by hand", jobs, "the same wrappers")
    ours = Entry("Runner", jobs)
    with _started(engine) as env:
        others = [peer_entry(peer, sizes) for peer in engine.peers] if peers else []
        paths, own = engine.tool_paths(), engine.tool_paths(engine.ours_in)
        for number in range(sizes.engine_rounds):
            print(f"  round {number + 1} of {sizes.engine_rounds}", file=sys.stderr, flush=True)
            folder = scratch / f"round-{number}"
            folder.mkdir()
            turn = _Turn(folder, env)
            turn.take(ours, lambda at, its: _ours(engine, jobs, at, its), own, "ours")
            turn.take(hand, lambda at, its: (by_hand(engine, jobs, at, its), None), paths, "ours")
            for entry, function in others:
                turn.take(entry, partial(peer_took, function, entry.jobs, entry.jobs), paths)
            shutil.rmtree(folder, ignore_errors=True)
    return figures_of(engine.name, hand, ours, [entry for entry, _ in others], judged=sizes.judged)


Act = Callable[[Path, Environment], Took]


class _Turn:
    """One round: each program with a count of its own, one after the other."""

    def __init__(self, folder: Path, env: Environment) -> None:
        self._folder = folder
        self._env = env
        self._number = 0

    def take(self, entry: Entry, act: Act, tools: Mapping[str, str], name: str = "") -> None:
        """Let a program run, in a folder of this name or its own."""
        if entry.missing:
            return
        self._number += 1
        folder = self._folder / (name or str(self._number))
        folder.mkdir(exist_ok=True)
        counted = Counted(self._folder / f"counted-{self._number}", tools)
        env = counted.environment(self._env)
        take(entry, lambda: act(folder, env), counted.calls)


def _ours(engine: Engine, jobs: int, folder: Path, env: Environment) -> Took:
    measured = workload(engine.name, folder, env=env, jobs=jobs, forks=jobs)
    return float(measured["seconds"]), float(measured["cpu"])


def peer_entry(
    described: tuple[str, str, str], sizes: Sizes, jobs: int | None = None
) -> tuple[Entry, str]:
    """Return a peer, described as in Engine.peers, and the function of peer.py that runs it."""
    package, function, note = described
    version = peer_version(package)
    entry = Entry(f"{package} {version}".strip(), jobs or sizes.engine_peer_jobs, note)
    entry.missing = "" if version and function else (NOT_INSTALLED if function else note)
    return entry, function


def peer_took(function: str, jobs: int, slots: int, folder: Path, env: Environment) -> Took:
    """Run a peer."""
    took = run_peer(function, jobs, slots, folder, env, _PEER_LIMIT)
    return took["seconds"], took["cpu"]


ENGINES = {engine.name: engine for engine in (SLURM, SGE)}
