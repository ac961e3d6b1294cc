"""The files of jobs, prepared and kept in bulk. Everything here blocks: offload it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..ports.files import Files
from ..runfolder.submissions import AttemptId
from ..text.claim import Claim, claim_name, parse_claim

__all__ = [
    "Preparation",
    "archive_attempt",
    "prepare_jobs",
    "read_claim",
    "read_text",
    "write_script",
]

_ARCHIVED = re.compile(r"job\.(stdout|stderr|status|rc|jid|wrapped\..+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Preparation:
    """The files that one attempt needs before it is submitted."""

    task: AttemptId
    metadir: str
    script_path: str
    script: bytes

    @property
    def attempt(self) -> int:
        """The number of the attempt."""
        return self.task.attempt


def prepare_jobs(files: Files, preparations: Iterable[Preparation]) -> list[OSError | None]:
    """Make the folders and wrapper scripts; for each, say what went wrong, if anything did."""
    return [_prepare(files, preparation) for preparation in preparations]


def _prepare(files: Files, preparation: Preparation) -> OSError | None:
    try:
        if not files.make_folder(preparation.metadir):
            archive_attempt(files, preparation.metadir, preparation.attempt - 1)
        write_script(files, preparation.script_path, preparation.script)
    except OSError as error:
        return error
    return None


def write_script(files: Files, path: str, script: bytes) -> None:
    """Write a script as a new file: a running bash reads on from one that is overwritten."""
    if not files.create(path, script):
        files.remove(path)
        files.create(path, script)


def archive_attempt(files: Files, metadir: str, attempt: int) -> None:
    """Move the records of an earlier attempt to `job.retry/<attempt>`; claims and all that is
    somebody else's stay where they are.
    """
    found = files.names(metadir)
    names = [name for name in found if _ARCHIVED.fullmatch(name)]
    # Where the next attempt has begun, by the hand of a driver that died, these are its own.
    if not names or attempt < 1 or claim_name(attempt + 1) in found:
        return
    folder = f"{metadir}/job.retry/{attempt}"
    fresh = files.make_folder(folder)
    for name in names:
        if fresh or not files.exists(f"{folder}/{name}"):
            files.move(f"{metadir}/{name}", f"{folder}/{name}")


def read_claims(files: Files, places: Sequence[tuple[str, int]]) -> list[Claim | None]:
    """Return the newest claim of each attempt, given as folder and attempt; None for none."""
    return [read_claim(files, metadir, attempt) for metadir, attempt in places]


def read_claim(files: Files, metadir: str, attempt: int) -> Claim | None:
    """Return the newest claim of the attempt, None where nobody claimed it.

    The fence that seals an attempt which has started is not one of these.
    """
    newest = None
    position = 0
    while True:
        try:
            data = files.read(f"{metadir}/{claim_name(attempt, position)}")
        except (FileNotFoundError, NotADirectoryError):
            return newest
        claim = parse_claim(data)
        if newest is not None and claim.is_fence:
            return replace(newest, sealed=True)
        newest = replace(claim, position=position) if position else claim
        position += 1


def read_text(files: Files, path: str) -> str:
    """Return what a file says, nothing where it cannot be read."""
    try:
        return files.read(path).decode("utf-8", "replace")
    except OSError:
        return ""


def append_text(files: Files, path: str, text: str) -> None:
    """Add a line to what a job wrote, if that can be done."""
    try:
        before = files.read(path)
    except OSError:
        before = b""
    files.write(path, before + text.encode("utf-8", "surrogateescape"))


def take_claims(files: Files, places: Sequence[tuple[str, int]], fence: bytes) -> list[bool]:
    """Create the claims of these attempts; for each, tell whether nobody had it before."""
    return [_take_claim(files, metadir, attempt, fence) for metadir, attempt in places]


def _take_claim(files: Files, metadir: str, attempt: int, fence: bytes) -> bool:
    files.make_folder(metadir)
    path = f"{metadir}/{claim_name(attempt)}"
    return files.create(path, fence) or _is_fence(files, path)


def _is_fence(files: Files, path: str) -> bool:
    try:
        return parse_claim(files.read(path)).is_fence
    except FileNotFoundError:
        return False  # made on another host, and not to be seen from here yet


def seal_attempt(
    files: Files, metadir: str, attempt: int, restart: int, position: int | None, fence: bytes
) -> bool:
    """Keep the engine from starting the attempt once more; False where it has done so already.

    `restart` tells how often it is known to have started the attempt again, `position` which claim
    the last of these starts holds, where that is known: it may not be seen from here yet.
    """
    if position is None:
        newest = read_claim(files, metadir, attempt)
        if newest is None:
            return _take_claim(files, metadir, attempt, fence)
        if newest.is_fence or newest.sealed:
            return True
        if newest.restart > restart:
            return False
        position = newest.position
    path = f"{metadir}/{claim_name(attempt, position + 1)}"
    return files.create(path, fence) or _is_fence(files, path)
