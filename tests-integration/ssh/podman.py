"""Podman on the hosts: each has its own, with its own images and containers.

It is root's: a user without rights may mount /proc in a namespace only where nothing is mounted over
parts of the one outside, and here the host's boot id is.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..containers.image import archive_of
from ..containers.machines import containers_conf
from ..daemons import need_programs
from .hosts import Host

__all__ = ["IMAGE", "VARIABLES", "add_podman", "containers_on", "control_groups"]

IMAGE = "localhost/sched-test:latest"
_HOME = "/scratch/podman"
VARIABLES: Mapping[str, str] = {
    "CONTAINERS_CONF": f"{_HOME}/containers.conf",
    "CONTAINERS_STORAGE_CONF": f"{_HOME}/storage.conf",
}
"""By these Podman finds its own there."""


def control_groups() -> list[Path]:
    """Return what a host has to share with this machine so that containers can be limited there."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    below = [Path(where) for where, _ in mounts if where.startswith("/sys/fs/cgroup")]
    return [Path("/sys"), *below]


def add_podman(host: Host, tree: Path) -> None:
    """Have Podman and the image on a host. Raises EngineMissing."""
    need_programs(podman="podman", runc="runc", conmon="conmon", catatonit="catatonit")
    home = host.scratch / "podman"
    home.mkdir()
    (home / "containers.conf").write_text(containers_conf("runc", f"{_HOME}/tmp"))
    (home / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{_HOME}/data"\nrunroot = "/run/containers"\n'
    )
    shutil.copytree("/etc/containers", host.root / "etc/containers")
    shutil.copy(archive_of(tree), home / "image.tar")
    _podman(host, "import", "--quiet", f"{_HOME}/image.tar", IMAGE)


def containers_on(host: Host) -> list[str]:
    """Return the containers that there are on a host, running or not."""
    return _podman(host, "ps", "--all", "--quiet").split()


def _podman(host: Host, *words: str) -> str:
    given = [f"{name}={value}" for name, value in VARIABLES.items()]
    return host.run("env", *given, "podman", *words)
