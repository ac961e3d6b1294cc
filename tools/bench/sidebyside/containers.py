"""In containers of each engine, four at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..containers import AT_ONCE, Rig, bare, run_ours, started
from ..contest import Took
from ..peers import program_version
from .contender import Contender, Field, ours, peer

__all__ = ["CONTAINERS"]

_JOBS = 50


def _bare(rig: Rig, jobs: int, folder: Path) -> Took:
    return bare(rig, jobs, folder, rig.env)


def _ours(rig: Rig, reuse: bool, jobs: int, folder: Path) -> Took:
    return run_ours(rig, jobs, folder, rig.env, reuse=reuse)


@contextmanager
def _open(kind: str, _: Path) -> Iterator[Sequence[Contender]]:
    with started(kind) as rig:
        options = {"image": rig.image, "bin": rig.program, "bin_args": list(rig.args)}
        yield [
            ours("sched, library", _JOBS, partial(_ours, rig, False), "a container a job"),
            ours("sched, reuse=True", 2 * _JOBS, partial(_ours, rig, True), "a container a slot"),
            Contender(
                name="bare runs",
                jobs=_JOBS,
                act=partial(_bare, rig),
                keeps="nothing",
                note=f"the engine's client under xargs -P{AT_ONCE}",
            ),
            peer(
                "xqute",
                "by_xqute.container",
                name="xqute",
                jobs=4,
                slots=AT_ONCE,
                env={**rig.env, "BENCH_CONTAINER": json.dumps(options)},
                keeps="outputs, exit code and status in files",
                manual="https://github.com/pwwang/xqute",
                note="a container a job; looks at each once a second",
            ),
        ]


def _field(kind: str) -> Field:
    versions = partial(program_version, kind.lower(), "--version")
    return Field(
        kind.lower(), f"Containers of {kind}", "4 at a time", versions, partial(_open, kind)
    )


CONTAINERS = [_field(kind) for kind in ("Docker", "Podman", "Apptainer")]
