"""On a real Slurm and a real Grid Engine, with 128 places on this machine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..contest import Took
from ..engines import SGE, SLURM, Engine, array, started
from ..measuring import Environment, workload
from ..peers import program_version
from .contender import Contender, Field, ours, peer

__all__ = ["GRID_ENGINE", "ON_SLURM"]

_WORKERS = 8
_HANGS = 30.0
"""Seconds after which it waits for ever: it takes five where it does not."""


def by_hand(engine: Engine, env: Environment, jobs: int, folder: Path) -> Took:
    """Submit one array whose tasks keep their outputs and their exit codes, until all have one."""
    for name in ("out", "err", "rc"):
        (folder / name).mkdir()
    at, task = shlex.quote(os.fspath(folder)), engine.task
    lines = '/bin/true >"out/$task" 2>"err/$task"\necho $? >"rc/$task"'
    script = f"cd {at} || exit\ntask={task}\n{lines}"
    return array(engine, script, jobs, folder, env, lambda: len(os.listdir(folder / "rc"))), None


def _ours(engine: Engine, env: Environment, jobs: int, folder: Path) -> Took:
    measured = workload(engine.name, folder, env=env, jobs=jobs, forks=jobs)
    return float(measured["seconds"]), float(measured["cpu"])


def _own(engine: Engine, env: Environment, jobs: int) -> list[Contender]:
    return [
        ours("sched, library", jobs, partial(_ours, engine, env), "one array"),
        Contender(
            name=engine.title,
            jobs=jobs,
            act=partial(by_hand, engine, env),
            keeps="outputs and exit code in files, by the script",
            note="by hand, until all exit codes are there",
        ),
    ]


def _parsl(engine: Engine, env: Environment, provider: str) -> Contender:
    return peer(
        "parsl",
        f"by_parsl.{engine.name}",
        name=f"Parsl, {provider}",
        jobs=500,
        slots=_WORKERS,
        env=env,
        keeps="outputs in files; exit code to the caller",
        manual="https://parsl.readthedocs.io/en/stable/userguide/configuration/",
        note=f"one job of the cluster, in which {_WORKERS} workers run all; starts within the time",
    )


def _xqute(engine: Engine, env: Environment, jobs: int, each: str) -> list[Contender]:
    """Return it with jobs that last a second, and with those of all others, for which it may wait for ever."""
    described = partial(
        peer,
        "xqute",
        env=env,
        keeps="outputs, exit code and status in files",
        manual="https://github.com/pwwang/xqute",
    )
    lasting = f"{each} a job; sleep 1 in place of true"
    hangs = "waits for ever if a job ends while it still notes that it was submitted"
    function = f"by_xqute.{engine.name}"
    return [
        described(function, name="xqute", jobs=jobs, note=lasting),
        described(f"{function}_true", name="xqute, true", jobs=40, note=hangs, limit=_HANGS),
    ]


@contextmanager
def _slurm(_: Path) -> Iterator[Sequence[Contender]]:
    with started(SLURM) as env:
        yield [
            *_own(SLURM, env, 200),
            _parsl(SLURM, env, "SlurmProvider"),
            *_xqute(SLURM, env, 60, "an sbatch"),
            peer(
                "submitit",
                "by_submitit.slurm",
                name="submitit",
                jobs=20,
                env=env,
                keeps="outputs and the pickled result in files",
                manual="https://github.com/facebookincubator/submitit/blob/main/docs/examples.md",
                note="one array; a Python a job",
            ),
            peer(
                "executorlib",
                "by_executorlib.slurm",
                name="executorlib",
                jobs=10,
                env=env,
                keeps="the function's result in a file",
                manual="https://executorlib.readthedocs.io/en/latest/2-hpc-cluster.html",
                note="an sbatch and a Python a job",
            ),
            peer(
                "psij-python",
                "by_psij.slurm",
                name="PSI/J",
                jobs=60,
                env=env,
                keeps="exit code to the caller",
                manual="https://exaworks.org/psij-python/",
                note="an sbatch a job; it asks about them every 30 s",
            ),
        ]


@contextmanager
def _sge(_: Path) -> Iterator[Sequence[Contender]]:
    with started(SGE) as env:
        yield [
            *_own(SGE, env, 150),
            _parsl(SGE, env, "GridEngineProvider"),
            *_xqute(SGE, env, 40, "a qsub"),
        ]


def _slurm_version() -> str:
    return program_version("slurmctld", "-V")


def _sge_version() -> str:
    ask = ("dpkg-query", "--show", "--showformat=${Version}", "gridengine-master")
    return f"Grid Engine {program_version(*ask)}"


ON_SLURM = Field(
    "slurm", "Slurm", "128 places of two nodes on this machine", _slurm_version, _slurm
)
GRID_ENGINE = Field("sge", "Grid Engine", "128 places on this machine", _sge_version, _sge)
