"""On two hosts over SSH, with a shared disk, ten jobs at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..contest import Took
from ..hosts import AT_ONCE, Rig, by_hand, shared_hosts
from ..measuring import timed
from ..peers import parallel_version, program_version
from .contender import Contender, Field, absent, ours, peer

__all__ = ["HOSTS"]


def _ours(rig: Rig, jobs: int, _: Path) -> Took:
    return rig.measured("ssh", jobs=jobs, forks=AT_ONCE)


def _by_hand(rig: Rig, jobs: int, _: Path) -> Took:
    return by_hand(jobs, rig)


def _parallel(rig: Rig, jobs: int, _: Path) -> Took:
    logins = ",".join(f"{AT_ONCE // 2}/{host}" for host in ("h1", "h2"))
    words = f"parallel --will-cite --sshlogin {logins} --joblog log --results out -N0 /bin/true"
    return timed(["sh", "-c", f"seq {jobs} | {words}"], rig.fresh(), env=rig.env), None


@contextmanager
def _open(scratch: Path) -> Iterator[Sequence[Contender]]:
    with shared_hosts(scratch) as rig:
        yield [
            ours("sched, library", 300, partial(_ours, rig), "one connection a host"),
            Contender(
                name="ssh by hand",
                jobs=300,
                act=partial(_by_hand, rig),
                keeps="nothing",
                note=f"xargs -P{AT_ONCE}, one connection a host by ControlMaster",
            ),
            Contender(
                name="GNU parallel",
                jobs=60,
                act=partial(_parallel, rig),
                keeps="outputs in files; exit code and times in a log; can be resumed",
                version=parallel_version(),
                manual="https://www.gnu.org/software/parallel/man.html",
                note="--sshlogin, --joblog --results",
                missing="" if parallel_version() else "not installed",
            ),
            peer(
                "xqute",
                "by_xqute.ssh",
                name="xqute",
                jobs=20,
                slots=AT_ONCE,
                env=rig.env,
                keeps="outputs, exit code and status in files",
                manual="https://github.com/pwwang/xqute",
                note="until the last exit code is there: it never sees the end of a job over SSH",
            ),
            absent(
                "Parsl", "its channels over SSH were removed at the end of 2024 (Parsl/parsl#3677)"
            ),
        ]


def _version() -> str:
    return program_version("ssh", "-V").partition(",")[0]


HOSTS = Field("ssh", "Hosts over SSH", f"{AT_ONCE} at a time on two hosts", _version, _open)
