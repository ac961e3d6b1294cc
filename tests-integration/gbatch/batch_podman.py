"""Podman for tasks: each has a state of its own, which goes with its machine, and shares the images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from ..containers.machines import containers_conf

__all__ = ["podman_words", "remove_groups"]

_STATE = "/mnt/vm/podman"


def podman_words(work: Path, images: Path) -> Sequence[str]:
    """Write the configuration, and return the words with which a container is run."""
    folder = work / "podman"
    folder.mkdir(exist_ok=True)
    (folder / "containers.conf").write_text(containers_conf("runc", f"{_STATE}/tmp"))
    (folder / "registries.conf").touch()
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{_STATE}/data"\nrunroot = "{_STATE}/run"\n'
        f'[storage.options]\nadditionalimagestores = ["{images}"]\n'
    )
    names = {"CONTAINERS_CONF": "containers", "CONTAINERS_STORAGE_CONF": "storage"}
    names["CONTAINERS_REGISTRIES_CONF"] = "registries"
    env = [f"{name}={folder}/{what}.conf" for name, what in names.items()]
    return ["env", *env, "podman", "run", "--rm", "--network=none", f"--cgroup-parent={_group()}"]


def _group() -> str:
    return f"/sched-batch-{os.getpid()}"


def remove_groups() -> None:
    """Remove the control groups that are left of machines that were killed."""
    for top in Path("/sys/fs/cgroup").glob(f"**{_group()}"):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
