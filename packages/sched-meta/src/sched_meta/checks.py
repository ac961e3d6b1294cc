"""Checks of what jobs need on this machine: name, verdict (None: a warning) and detail of each."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from sched_core.errors import SchedError

from .driving.cores import usable_cores
from .driving.options import parse_options
from .reading.runfolder import RUNS, RunFolder
from .registry import get_scheduler
from .settings.check import check_settings
from .wording import size

__all__ = ["Check", "check_machine", "check_scheduler"]

Check = tuple[str, bool | None, str]

_OLDEST_BASH = (4, 4)
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "glusterfs"}


def check_machine(folder: RunFolder | None = None) -> Iterator[Check]:
    """Check bash, the folder that runs go to, its clock, settings, and the limits of this process."""
    yield _check_bash()
    if folder is None:
        yield from _check_folder(RUNS if RUNS.is_dir() else Path.cwd())
    elif folder.in_bucket:
        yield from _check_bucket(folder)
    else:
        yield from _check_folder(_nearest(Path(folder.absolute)))
    yield _check_open_files()
    yield from check_settings()
    yield "cores", True, f"{usable_cores()} can be used: that many jobs run at once by default"


def check_scheduler(
    name: str, options: Sequence[str] = (), folder: RunFolder | None = None
) -> Iterator[Check]:
    """Load the scheduler and have it check what it needs. Raises SchedError where it cannot be."""
    import anyio

    cls = get_scheduler(name)
    keywords = parse_options(options, cls)
    try:
        scheduler = cls.for_doctor(folder.absolute if folder else Path.cwd(), **keywords)
    except TypeError as error:
        yield f"scheduler {name}", False, f"{error}; give it with -o KEY=VALUE"
        return
    yield f"scheduler {name}", True, f"{cls.__module__}.{cls.__qualname__} is loaded"
    for check, verdict, detail in anyio.run(scheduler.doctor):
        yield f"{name} {check}", verdict, detail


def _check_bash() -> Check:
    path = shutil.which("bash")
    if path is None:
        return "bash", False, "not in PATH: install it, every job is started by it"
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.(\d+)\S*", text)
    if not found:
        return "bash", None, f"{path} does not tell its version"
    old = (int(found[1]), int(found[2])) < _OLDEST_BASH
    wanted = f"; it must be {'.'.join(map(str, _OLDEST_BASH))} or newer: install it" if old else ""
    return "bash", not old, f"{path} is {found[0]}{wanted}"


def _check_folder(folder: Path) -> Iterator[Check]:
    where = str(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".sched-doctor-", dir=folder) as probe:
            yield "folder", True, f"{where} can be written"
            yield _check_exclusive_create(Path(probe))
            yield _check_clock(Path(probe))
    except OSError as error:
        yield (
            "folder",
            False,
            f"{where} cannot be written: {error.strerror}; name another folder with -w",
        )
        return
    yield _check_file_system(folder)
    yield _check_space(folder)


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there already."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _check_bucket(folder: RunFolder) -> Iterator[Check]:
    probe = f"{folder.path}/.sched-doctor-{uuid.uuid4().hex}"
    try:
        created = [folder.files.create(probe, text) for text in (b"one", b"another")]
        folder.files.remove(probe)
    except OSError as error:
        yield "folder", False, f"{folder} cannot be written: {error.strerror or error}"
        return
    except SchedError as error:
        yield "folder", False, f"{folder} cannot be reached: {error}"
        return
    yield "folder", True, f"{folder} can be written"
    if created == [True, False]:
        yield "locks", True, "an object can be created by one process only"
    else:
        yield (
            "locks",
            False,
            "creating an object exclusively is no lock here: jobs might start twice; use another bucket",
        )


def _check_exclusive_create(probe: Path) -> Check:
    path = probe / "claim"
    path.touch(exist_ok=False)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return "locks", True, "a file can be created by one process only"
    return (
        "locks",
        False,
        "creating a file exclusively is no lock here: jobs might start twice; name another folder with -w",
    )


def _check_clock(probe: Path) -> Check:
    before = time.time()
    path = probe / "clock"
    path.write_bytes(b"x")
    skew = path.stat().st_mtime - before
    if abs(skew) < 2:
        return "clock", True, "the folder's file system and this machine agree"
    return (
        "clock",
        None,
        f"files are dated {skew:+.0f} s off this machine's clock: set both (NTP), or times in records will mislead",
    )


def _check_file_system(folder: Path) -> Check:
    kind = _file_system(folder)
    if kind in _NETWORK:
        return "file system", None, f"{kind}: listings are cached, ends of jobs show up late"
    return "file system", True, kind or "unknown"


def _file_system(folder: Path) -> str:
    """The type of the mount that the folder is on, '' where nobody tells."""
    path = f"{folder.resolve()}/"
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, this, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), point).rstrip("/") + "/"
        if path.startswith(point) and len(point) >= len(best):
            best, kind = point, this
    return kind


def _check_space(folder: Path) -> Check:
    stat = os.statvfs(folder)
    free = stat.f_bavail * stat.f_frsize
    detail = f"{size(free)} free"
    if stat.f_files:
        detail += f", {stat.f_favail} files"
    enough = free > 100 << 20 and (not stat.f_files or stat.f_favail > 10_000)
    if enough:
        return "space", True, detail
    return (
        "space",
        None,
        f"{detail}: that is little; sched clean old runs, or name another folder with -w",
    )


def _check_open_files() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= 256:
        return "open files", True, f"at most {soft}"
    return "open files", None, f"at most {soft}: that is little; raise it (ulimit -n)"
