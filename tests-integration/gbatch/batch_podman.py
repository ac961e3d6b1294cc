"""Podman for tasks: each has a state of its own, which goes with its machine, and shares the images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..containers.machines import containers_conf

__all__ = ["podman_words"]

_STATE = "/mnt/vm/podman"


def podman_words(work: Path, images: Path) -> Sequence[str]:
    """Write the configuration, and return the words before `run`."""
    folder = work / "podman"
    folder.mkdir()
    (folder / "containers.conf").write_text(containers_conf("runc", f"{_STATE}/tmp"))
    (folder / "registries.conf").touch()
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{_STATE}/data"\nrunroot = "{_STATE}/run"\n'
        f'[storage.options]\nadditionalimagestores = ["{images}"]\n'
    )
    names = {"CONTAINERS_CONF": "containers", "CONTAINERS_STORAGE_CONF": "storage"}
    names["CONTAINERS_REGISTRIES_CONF"] = "registries"
    return ["env", *(f"{name}={folder}/{what}.conf" for name, what in names.items()), "podman"]
