"""Paths that the driver and its jobs see under different names, and the mounts between them."""

from __future__ import annotations

from ._cloud import CloudSupportMissing as CloudSupportMissing
from ._cloud import NotALocalPath as NotALocalPath
from .mounts import DEFAULT_MOUNTED_ROOT as DEFAULT_MOUNTED_ROOT
from .mounts import Mount as Mount
from .mounts import MountTable as MountTable
from .mounts import parse_mount as parse_mount
from .spec import MountedPath as MountedPath
from .spec import SpecPath as SpecPath

__all__ = [
    "DEFAULT_MOUNTED_ROOT",
    "CloudSupportMissing",
    "Mount",
    "MountTable",
    "MountedPath",
    "NotALocalPath",
    "SpecPath",
    "parse_mount",
]
