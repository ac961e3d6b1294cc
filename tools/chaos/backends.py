"""The backends by name."""

from __future__ import annotations

from collections.abc import Mapping

from .rig import Start
from .rigs.cloud import gbatch
from .rigs.clusters import sge, slurm
from .rigs.containers import apptainer, docker, podman
from .rigs.hosts import ssh
from .rigs.local import local

__all__ = ["BACKENDS"]

BACKENDS: Mapping[str, Start] = {
    "local": local,
    "slurm": slurm,
    "sge": sge,
    "ssh": ssh,
    "docker": docker,
    "podman": podman,
    "apptainer": apptainer,
    "gbatch": gbatch,
}
