"""Paths that the driver and its jobs see under different names, and the mounts between them."""

from __future__ import annotations

from .spec import MountedPath as MountedPath
from .spec import SpecPath as SpecPath

__all__ = ["MountedPath", "SpecPath"]
