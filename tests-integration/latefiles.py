"""A disk on which what jobs write is seen by the driver only later."""

from __future__ import annotations

import os
import re
import time

from sched_core.ports.localfiles import LocalFiles

__all__ = ["LateFiles"]

_OF_JOBS = re.compile(r"/(job\.(claim\.[^/]*|rc|status)|\.sched/events/[^/]*)$")


class LateFiles(LocalFiles):
    """Shows what jobs have written only when it is as old as that."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay = delay
        self._shown: dict[str, bytes] = {}

    def create(self, path: str, data: bytes) -> bool:
        made = super().create(path, data)
        if made:
            self._shown[path] = data
        return made

    def read(self, path: str) -> bytes:
        if not self._is_late(path):
            self._shown[path] = super().read(path)
        if path not in self._shown:
            raise FileNotFoundError(path)
        return self._shown[path]

    def names(self, folder: str) -> list[str]:
        return [name for name in super().names(folder) if self.exists(f"{folder}/{name}")]

    def exists(self, path: str) -> bool:
        return super().exists(path) and (path in self._shown or not self._is_late(path))

    def _is_late(self, path: str) -> bool:
        if not _OF_JOBS.search(path):
            return False
        return time.time() - os.stat(path).st_mtime < self._delay
