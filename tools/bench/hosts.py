"""The case on other hosts over SSH, which the benchmark starts itself, as the tests do."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from .contest import Entry, Took, figures_of, take
from .engines import rig_class, told
from .figures import Figure, unavailable
from .measuring import Environment, Failed, timed, workload
from .peers import peer_folders
from .sizes import Sizes

__all__ = ["AT_ONCE", "JOBS_TARGET", "Rig", "by_hand", "measure", "shared_hosts"]

JOBS_TARGET = 150.0
"""Jobs that are to run in a second."""
INPUTS_TARGET = 100.0
"""Jobs with an input of their own that are to run in a second without a shared disk."""
END_TARGET = 20.0
"""Milliseconds after which an end is to be known."""
_INPUT_SIZE = 2048
AT_ONCE = 10
"""As many as sshd allows on one connection, which each `ssh` of one by hand is."""
_KEEPALIVE = 1
_NO_KEEPALIVE = 3600
_RIG = "tests-integration.ssh.hosts:Lab"


class Rig:
    """Two hosts, and what it takes to run jobs on them."""

    def __init__(self, lab: Any, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        programs = folder / "bin"
        programs.mkdir()
        # OpenSSH takes the home from the password database, whatever HOME says.
        config = folder / "config"
        known = f"UserKnownHostsFile {lab.home}/.ssh/known_hosts"
        config.write_text(f"IdentityFile {lab.key}\n{known}\nInclude {lab.home}/.ssh/config\n")
        program = programs / "ssh"
        program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
        program.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.env: Environment = {**os.environ, "HOME": os.fspath(lab.home), "PATH": path}
        self._number = 0

    def fresh(self) -> Path:
        """Return a new folder."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        return folder

    def connections(self) -> dict[str, int]:
        """Return how many connections each host has let in, by what a reader is to see of it."""
        accepted = {host.name: host.log().count("Accepted ") for host in self._lab.hosts}
        return {f"connections to {name}": count for name, count in accepted.items()}

    def measured(self, name: str, **options: int) -> Took:
        """Run a workload that takes its own time."""
        found = workload(name, self.fresh(), env=self.env, **options)
        return float(found["seconds"]), float(found["cpu"])

    def delays(self, jobs: int) -> tuple[float, ...]:
        """Return how late ends are known, in milliseconds."""
        found = workload("ssh_end_known", self.fresh(), env=self.env, jobs=jobs, forks=2)
        return tuple(delay * 1e3 for delay in found["delays"])

    def idle(self, seconds: int, keepalive: int) -> float:
        """Return the bytes to and from hosts while nothing happens."""
        options = {"seconds": seconds, "keepalive": keepalive}
        return float(workload("ssh_idle", self.fresh(), env=self.env, **options)["bytes"])


@contextmanager
def _rig(folder: Path, net: str, **shared: Any) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="sched-bench-", ignore_cleanup_errors=True) as root:
        with told():
            lab = rig_class(_RIG)(Path(root), net)
        try:
            with told():
                for _ in range(2):
                    lab.host(**shared)
            folder.mkdir()
            with lab.network.inside():
                yield Rig(lab, folder)
        finally:
            lab.stop()


@contextmanager
def shared_hosts(scratch: Path) -> Iterator[Rig]:
    """Start two hosts for the block that have the folder, and the peers', in common with us."""
    away = [p for p in (scratch, *peer_folders()) if not p.is_relative_to("/usr")]
    # The shared folder is the driver's own, who is root there as well.
    with _rig(scratch / "shared", "10.99.8", uid=os.geteuid(), shared=away) as rig:
        yield rig


def measure(sizes: Sizes, scratch: Path) -> list[Figure]:
    """The same jobs by ssh and xargs and by the library, in turn; then what each of our own
    promises costs.
    """
    figures: list[Figure] = []
    with shared_hosts(scratch) as rig:
        figures += _contest(rig, sizes)
        figures.append(_ends(rig, "shared disk", sizes))
        figures += _idle(rig, sizes)
    with _rig(scratch / "apart", "10.99.9") as rig:
        figures += _apart(rig, sizes)
        figures.append(_ends(rig, "no shared disk", sizes))
    return figures


# --- beside others ----------------------------------------------------------------------------


def by_hand(jobs: int, rig: Rig) -> Took:
    """Run the commands by ssh, over one connection a host that is made before and closed after."""
    folder = rig.fresh()
    share = f"-o ControlPath={shlex.quote(os.fspath(folder))}/%h"
    line = (
        f"for h in h1 h2; do ssh -MNf {share} $h || exit; done; "
        f"seq {jobs} | awk '{{ print \"h\" 1 + NR % 2 }}' | "
        f"xargs -P{AT_ONCE} -I{{}} ssh {share} {{}} true; said=$?; "
        f"for h in h1 h2; do ssh -q -O exit {share} $h; done; exit $said"
    )
    return timed(["sh", "-c", line], folder, env=rig.env), None


def _contest(rig: Rig, sizes: Sizes) -> list[Figure]:
    jobs = sizes.engine_jobs
    hand = Entry(f"ssh, ControlMaster, xargs -P{AT_ONCE}", jobs, "no records")
    ours = Entry("Runner", jobs)
    for number in range(sizes.engine_rounds):
        print(f"  round {number + 1} of {sizes.engine_rounds}", file=sys.stderr, flush=True)
        _take(rig, ours, partial(rig.measured, "ssh", jobs=jobs, forks=AT_ONCE))
        _take(rig, hand, partial(by_hand, jobs, rig))
    rows = figures_of("ssh", hand, ours, judged=sizes.judged, ratio=None, cpu=None)
    return [*rows, *_own(ours, sizes)]


def _take(rig: Rig, entry: Entry, act: Callable[[], Took]) -> None:
    """Let a program run, and count the connections that it makes."""
    before = rig.connections()
    take(entry, act, lambda: {k: n - before[k] for k, n in rig.connections().items()})


def _own(ours: Entry, sizes: Sizes) -> list[Figure]:
    if not ours.samples:
        return []
    return [
        _speed("Runner", ours, JOBS_TARGET, sizes),
        Figure(
            case="ssh",
            what="Runner, connections a host",
            value=max(ours.calls.values()),
            target=1,
            note="those that sshd has let in, of the host with the most",
        ),
    ]


def _speed(what: str, entry: Entry, target: float | None, sizes: Sizes) -> Figure:
    if not entry.samples:
        return unavailable("ssh", what, ", ".join(set(entry.failures)))
    each = tuple(1e3 / each for each in entry.each)
    return Figure(
        case="ssh",
        what=what,
        value=median(each),
        unit="jobs/s",
        target=target,
        least=True,
        judged=sizes.judged,
        samples=each,
        note=f"{entry.jobs} jobs, median of {len(each)}, worst {min(each):.0f}",
    )


# --- by itself --------------------------------------------------------------------------------


def _ends(rig: Rig, what: str, sizes: Sizes) -> Figure:
    what = f"end to known, {what}"
    try:
        delays = rig.delays(sizes.ends)
    except Failed as error:
        return unavailable("ssh", what, str(error))
    return Figure(
        case="ssh",
        what=what,
        value=median(delays),
        unit="ms",
        target=END_TARGET,
        judged=sizes.judged,
        samples=delays,
        note=f"2 at a time, with all records; median of {len(delays)}, worst {max(delays):.1f}",
    )


def _idle(rig: Rig, sizes: Sizes) -> list[Figure]:
    seconds = sizes.idle
    try:
        other = rig.idle(seconds, _NO_KEEPALIVE)
        alive = rig.idle(max(seconds // 9, 2), _KEEPALIVE) / max(seconds // 9, 2) / 2
    except Failed as error:
        return [unavailable("ssh", "idle", str(error))]
    return [
        Figure(
            case="ssh",
            what="idle, but for keepalives",
            value=other,
            unit="bytes",
            target=0,
            note=f"both ways, two hosts with a job each, in {seconds} s",
        ),
        Figure(
            case="ssh",
            what="a keepalive",
            value=alive,
            unit="bytes",
            note="both ways; one in 15 s where nothing else is said",
        ),
    ]


def _apart(rig: Rig, sizes: Sizes) -> list[Figure]:
    jobs, forks = sizes.engine_jobs, AT_ONCE
    true, inputs = Entry("true", jobs), Entry("inputs", jobs)
    for _ in range(sizes.engine_rounds):
        _take(rig, true, partial(rig.measured, "ssh", jobs=jobs, forks=forks))
        size = _INPUT_SIZE
        _take(rig, inputs, partial(rig.measured, "ssh_inputs", jobs=jobs, forks=forks, size=size))
    return [
        _speed("Runner, no shared disk", true, None, sizes),
        _speed(f"the same, an input of {_INPUT_SIZE} bytes each", inputs, INPUTS_TARGET, sizes),
    ]
