"""A bucket mounted for tests, as weakly as gcsfuse does it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from ..daemons import EngineMissing, need_programs
from .gcsfuse_settings import Settings, UploadFault
from .storage_process import Served, ServerProcess

__all__ = ["Gcsfuse", "Settings", "UploadFault"]

_DEVICE = "/dev/fuse"


class Gcsfuse(Served):
    """Shows the bucket's folder below `root` at a mount point.

    with Gcsfuse(storage.root, "bucket", tmp_path / "mount") as mount:
        mount.set(negative_ttl=5.0)
        mount.fail_uploads("ESTALE", "stdout$")
    """

    def __init__(
        self, root: Path, bucket: str, mountpoint: Path, settings: Settings | None = None
    ) -> None:
        """Mount it. Raises EngineMissing where there is no FUSE."""
        _need_fuse()
        mountpoint.mkdir(parents=True, exist_ok=True)
        self.path = mountpoint
        self.settings = settings or Settings()
        self._process = self._start(root, bucket)

    def _start(self, root: Path, bucket: str) -> ServerProcess:
        where = (str(root.absolute()), bucket, str(self.path.absolute()))
        try:
            return ServerProcess("gcsfuse_server", *where, self.settings.to_json())
        except RuntimeError as error:
            raise EngineMissing(f"nothing can be mounted by FUSE: {error}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    def set(self, **values: object) -> None:
        """Change settings; `Settings` says what each means."""
        self.settings.change(values)
        self._process.ask(json.dumps(values))

    def fail_uploads(
        self, error: str = "EIO", pattern: str = "", count: int = 1, *, empty: bool = False
    ) -> None:
        """Have the next `count` closes of files whose object's name matches fail; with `empty` each
        leaves an empty object behind. With 0 none fails any more.
        """
        fault = UploadFault(error, pattern, count, empty)
        self.set(faults=[asdict(fault)])

    def stop(self) -> None:
        """Unmount it, even if somebody is still in it."""
        self._process.stop()
        # If it was killed, the mount is left over, and no look at it would tell.
        subprocess.run(["umount", "--lazy", self.path], check=False, capture_output=True)


def _need_fuse() -> None:
    need_programs(fusermount3="fuse3")
    if not os.path.exists(_DEVICE):
        raise EngineMissing(f"{_DEVICE} is missing: mknod {_DEVICE} c 10 229")
    if find_spec("mfusepy") is None:
        raise EngineMissing("mfusepy is not installed: pip install mfusepy")
