"""The case on container engines, which the benchmark starts itself, as the tests do."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .calls import Counted
from .contest import Entry, Took, beside, figures_of, take
from .engines import rig_class, told
from .figures import Figure, unavailable
from .measuring import Environment, Failed, timed, workload
from .sizes import Sizes

__all__ = ["AT_ONCE", "REUSE_TARGET", "Rig", "bare", "measure", "run_ours", "started"]

REUSE_TARGET = 0.5
"""How many times as long as bare runs jobs in containers that stay may take."""
AT_ONCE = 4
_RIGS = "tests-integration.containers"
_ENGINES = ("Rootless", "Apptainer") if os.geteuid() else ("Docker", "Podman", "Apptainer")


@dataclass(frozen=True, slots=True)
class Rig:
    """An engine that runs, and how it is asked for a container that lives for one command."""

    program: str
    env: Environment
    options: Mapping[str, Any]
    """Of a ContainerScheduler that uses it."""
    run: Sequence[str]
    """The words of one bare run, the client first, up to further options."""
    args: Sequence[str]
    """Options that every run here has, by whom ever."""
    image: str


def _rig(kind: str, engine: Any) -> Rig:
    options, env = dict(engine.options), {**os.environ, **engine.env}
    program = options["bin"]
    if kind == "Apptainer":
        return Rig(program, env, options, [program, *_EXEC], [], engine.image)
    run = [program, "run", "--rm", "--user", f"{os.geteuid()}:{os.getegid()}"]
    mapped = ["--userns", "keep-id"] if kind == "Rootless" else []
    args = [*options["bin_args"], "--pull", "never", *mapped]
    return Rig(program, env, options, run, args, engine.image)


_EXEC = "--silent exec --containall".split()


def _make_image(tree: Path) -> None:
    """Make the files of the tests' image; Apptainer's `run` needs what one made from Docker's has."""
    rig_class(f"{_RIGS}.image:make_tree")(tree)
    script = tree / ".singularity.d/runscript"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nexec "$@"\n')
    script.chmod(0o755)


@contextmanager
def started(kind: str) -> Iterator[Rig]:
    """Run the engine for the block, with an image of busybox and bash."""
    with tempfile.TemporaryDirectory(prefix="sched-bench-", ignore_cleanup_errors=True) as root:
        with told():
            _make_image(Path(root, "image"))
            Path(root, "engine").mkdir()
            engine = rig_class(f"{_RIGS}.machines:{kind}")(
                Path(root, "engine"), Path(root, "image")
            )
        try:
            with told():
                engine.start()
            yield _rig(kind, engine)
        finally:
            engine.stop()


def measure(sizes: Sizes, scratch: Path) -> list[Figure]:
    """The same jobs by bare runs and xargs and by the library, on each engine."""
    figures: list[Figure] = []
    for kind in _ENGINES:
        name = "podman, rootless" if kind == "Rootless" else kind.lower()
        print(f"  {name}", file=sys.stderr, flush=True)
        folder = scratch / kind.lower()
        folder.mkdir()
        try:
            with started(kind) as rig:
                figures += _contest(name, rig, sizes, folder)
        except Failed as error:
            figures.append(unavailable(name, "the engine", str(error)))
    return figures


# --- beside others ----------------------------------------------------------------------------


def bare(rig: Rig, jobs: int, folder: Path, env: Environment) -> Took:
    """Run the commands by the engine's own client alone."""
    mount = f"type=bind,source={folder},target={folder}"
    command = [*rig.run, *rig.args, "--mount", mount, rig.image, "/bin/true"]
    # In sessions of their own, as ours: on a busy machine Linux gives each session the same share.
    line = f"seq {jobs} | xargs -P{AT_ONCE} -I{{}} setsid --wait {shlex.join(command)}"
    return timed(["sh", "-c", line], folder, env=env), None


def run_ours(rig: Rig, jobs: int, folder: Path, env: Environment, *, reuse: bool) -> Took:
    """Run the commands by the library, with a container a job or a slot."""
    options = {**rig.options, "reuse": True} if reuse else rig.options
    env = {**env, "BENCH_CONTAINER": json.dumps(options)}
    measured = workload("container", folder, env=env, jobs=jobs, forks=AT_ONCE)
    return float(measured["seconds"]), float(measured["cpu"])


def _contest(name: str, rig: Rig, sizes: Sizes, scratch: Path) -> list[Figure]:
    jobs = sizes.container_jobs
    hand = Entry(f"bare runs, xargs -P{AT_ONCE}", jobs, "no records")
    ours, reused = Entry("Runner", jobs), Entry("Runner, reuse=True", jobs)
    for number in range(sizes.container_rounds):
        print(f"  round {number + 1} of {sizes.container_rounds}", file=sys.stderr, flush=True)
        turn = _Turn(rig, scratch / f"round-{number}")
        turn.take(ours, partial(run_ours, rig, jobs, reuse=False))
        turn.take(hand, partial(bare, rig, jobs))
        turn.take(reused, partial(run_ours, rig, jobs, reuse=True))
        shutil.rmtree(turn.folder, ignore_errors=True)
    rows = figures_of(name, hand, ours, judged=sizes.judged, cpu=None)
    return [*rows, *beside(name, reused, hand, REUSE_TARGET, judged=sizes.judged)]


class _Turn:
    """One round: each program in a folder of its own, with its calls of the client counted."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.folder = folder
        self._rig = rig

    def take(self, entry: Entry, act: Callable[[Path, Environment], Took]) -> None:
        """Let a program run."""
        number = len(list(self.folder.glob("*"))) if self.folder.exists() else 0
        folder = self.folder / str(number)
        work = folder / "work"
        work.mkdir(parents=True)
        program = shutil.which(self._rig.program)
        assert program is not None, f"{self._rig.program} was there a moment ago"
        counted = Counted(folder / "counted", {self._rig.program: program})
        env = counted.environment(self._rig.env)
        take(entry, lambda: act(work, env), counted.calls)
