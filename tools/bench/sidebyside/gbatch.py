"""On the emulated Google Batch, eight tasks at a time, with the run in the emulated bucket."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from ..contest import Took
from ..gbatch import SLOTS, Rig, started
from ..peers import run_peer
from .contender import Contender, Field, ours, peer

__all__ = ["GBATCH"]

_XQUTE_LIMIT = 120.0


def _ours(rig: Rig, jobs: int, folder: Path) -> Took:
    return rig.took("gbatch", folder, jobs=jobs, forks=jobs)


def _one_job(rig: Rig, jobs: int, folder: Path) -> Took:
    return rig.took("gbatch_by_hand", folder, jobs=jobs)


def _job_each(rig: Rig, jobs: int, folder: Path) -> Took:
    return rig.took("gbatch_each", folder, jobs=jobs, slots=SLOTS)


def _xqute(rig: Rig, jobs: int, folder: Path) -> Took:
    # Each time another folder of the bucket.
    return run_peer("by_xqute.gbatch", jobs, jobs, folder, rig.environment(), _XQUTE_LIMIT)


@contextmanager
def _open(_: Path) -> Iterator[Sequence[Contender]]:
    with started() as rig:
        yield [
            ours("sched, library", 150, partial(_ours, rig), "one Batch job"),
            Contender(
                name="one Batch job by hand",
                jobs=150,
                act=partial(_one_job, rig),
                keeps="nothing",
                version=version("google-cloud-batch"),
                note="google-cloud-batch alone, asked once a second",
            ),
            Contender(
                name="a Batch job each by hand",
                jobs=30,
                act=partial(_job_each, rig),
                keeps="nothing",
                version=version("google-cloud-batch"),
                note=f"google-cloud-batch alone, {SLOTS} at once, asked once a second",
            ),
            _their_xqute(rig),
        ]


def _their_xqute(rig: Rig) -> Contender:
    described = peer(
        "xqute",
        "",
        name="xqute",
        jobs=3,
        keeps="outputs, exit code and status in files",
        manual="https://github.com/pwwang/xqute",
        note="a Batch job each by the gcloud command; sleep 3 in place of true, with which it waits for ever",
    )
    missing = described.missing or ("" if shutil.which("gcloud") else "needs the gcloud command")
    return replace(described, act=partial(_xqute, rig), missing=missing)


def _versions() -> str:
    return "the emulators of tests-integration/gbatch: no VM is made, no bucket is far away"


GBATCH = Field("gbatch", "Google Batch, emulated", f"{SLOTS} at a time", _versions, _open)
