"""Two hosts over SSH, with disks of their own: links are cut, sshds die, hosts are booted again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ..faults import Disk, Fault
from ..plan import Size
from ..rig import CannotStart, Rig
from .engines import engine_class

__all__ = ["ssh"]

_USER = 2001
_NET = "10.99.6"


@contextmanager
def ssh(root: Path) -> Iterator[Rig]:
    """Start the hosts, and be in their network."""
    missing = engine_class("daemons:EngineMissing")
    marks = root / "marks"
    for folder in (root / "ssh", marks):
        folder.mkdir()
    marks.chmod(0o777)
    try:
        lab = engine_class("ssh.hosts:Lab")(root / "ssh", _NET)
    except missing as error:
        raise CannotStart(str(error)) from None
    disks = [Disk(root / "ssh" / f"h{number}" / "disk") for number in (1, 2)]
    try:
        try:
            hosts = [lab.host(uid=_USER, shared=[marks], MaxStartups="100") for _ in range(2)]
        except missing as error:
            raise CannotStart(str(error)) from None
        env = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        with lab.network.inside():
            yield Rig(
                "ssh",
                Size(200, 8, 40.0),
                {**env, "HOME": os.fspath(lab.home)},
                options={"servers": [host.name for host in hosts], "keepalive": 1},
                faults=lambda run: _faults(hosts, disks),
                left=lambda run: [one for host in hosts for one in _processes(host)],
            )
    finally:
        lab.stop()
        for disk in disks:
            disk.unmount()


def _faults(hosts: list[Any], disks: list[Disk]) -> Mapping[str, Fault]:
    found = {}
    for host, disk in zip(hosts, disks, strict=True):
        found[f"disk of {host.name} full"] = disk.fault()
        found[f"link of {host.name} cut"] = Fault(partial(_cut, host), (0.1, 8.0))
        found[f"sshd of {host.name} killed"] = Fault(partial(_kill_sshd, host), (0.1, 6.0))
        found[f"connections of {host.name} ended"] = Fault(partial(_end_connections, host))
        found[f"{host.name} rebooted"] = Fault(partial(_reboot, host), loses=True)
    return found


def _cut(host: Any, chance: Random) -> Callable[[], None]:
    host.cut()
    heal: Callable[[], None] = host.heal
    return heal


def _kill_sshd(host: Any, chance: Random) -> Callable[[], None]:
    host.kill_sshd()

    def start() -> None:
        # A host that was booted again meanwhile has one.
        with contextlib.suppress(RuntimeError):
            host.start_sshd()

    return start


def _end_connections(host: Any, chance: Random) -> None:
    host.kill_sshd(listener=False)


def _reboot(host: Any, chance: Random) -> None:
    host.reboot()


def _processes(host: Any) -> list[str]:
    """Return what the jobs' user has running there."""
    found = []
    for folder in (host.root / "proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal() and folder.stat().st_uid == _USER:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{host.name}: {folder.name} {os.fsdecode(words)[:120]}")
    return found
