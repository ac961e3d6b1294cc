"""The files of jobs, prepared and kept in bulk. Everything here blocks: offload it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ports.files import Entry, Files, StoreUnavailable
from ..ports.jobrecord import ATTEMPT_RECORD
from ..runfolder.submissions import AttemptId
from ..text.claim import Claim, claim_name, parse_claim

__all__ = [
    "Preparation",
    "archive_attempt",
    "archive_attempts",
    "prepare_jobs",
    "read_claim",
    "read_text",
    "write_script",
]


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
    """Make the folders and wrapper scripts; for each, say what went wrong, if anything did.

    Raises StoreUnavailable where that is what keeps attempts' folders from being made.
    """
    preparations = list(preparations)
    problems = [_make_room(files, preparation) for preparation in preparations]
    pairs = zip(preparations, problems, strict=True)
    ready = [(one.script_path, one.script) for one, problem in pairs if problem is None]
    made = iter(zip(ready, files.create_many(ready), strict=True))
    return [problem or _problem(files, *next(made)) for problem in problems]


def _make_room(files: Files, preparation: Preparation) -> OSError | None:
    try:
        if not files.make_folder(preparation.metadir):
            archive_attempt(files, preparation.metadir, preparation.attempt - 1)
    except StoreUnavailable:
        raise  # nor will there be room for the others
    except OSError as error:
        return error
    return None


def _problem(files: Files, script: tuple[str, bytes], made: bool | OSError) -> OSError | None:
    if isinstance(made, OSError):
        return made
    try:
        if not made:
            _replace_script(files, *script)
    except OSError as error:
        return error
    return None


def write_script(files: Files, path: str, script: bytes) -> None:
    """Write a script as a new file: a running bash reads on from one that is overwritten."""
    if not files.create(path, script):
        _replace_script(files, path, script)


def _replace_script(files: Files, path: str, script: bytes) -> None:
    files.remove(path)
    files.create(path, script)


def archive_attempt(files: Files, metadir: str, attempt: int) -> None:
    """Move the records of an earlier attempt to `job.retry/<attempt>`; claims and all that is
    somebody else's stay where they are.
    """
    if attempt < 1:
        return
    found = files.names(metadir)
    names = [name for name in found if ATTEMPT_RECORD.fullmatch(name)]
    # Where the next attempt has begun, by the hand of a driver that died, these are its own.
    if not names or claim_name(attempt + 1) in found:
        return
    # Each by itself: missing parents get the permissions that the umask leaves.
    files.make_folder(f"{metadir}/job.retry")
    folder = f"{metadir}/job.retry/{attempt}"
    kept = [] if files.make_folder(folder) else files.names(folder)
    moves = {f"{metadir}/{name}": f"{folder}/{name}" for name in names}
    copied = {f"{metadir}/{name}": f"{folder}/{name}" for name in names if name in kept}
    known = files.checksums([*copied, *copied.values()]) if copied else {}
    _move_or_remove(files, moves, copied, known)


def archive_attempts(files: Files, places: Iterable[tuple[str, int]], names: Sequence[str]) -> None:
    """Do what `archive_attempt` does for many attempts, given as folder and number, and for files of
    these names: by few questions, where each is dear.
    """
    moves = {
        f"{metadir}/{name}": f"{metadir}/job.retry/{attempt}/{name}"
        for metadir, attempt in places
        for name in names
    }
    begun = {f"{metadir}/{claim_name(attempt + 1)}": metadir for metadir, attempt in places}
    known = files.checksums([*moves, *moves.values(), *begun])
    left_alone = {metadir for path, metadir in begun.items() if path in known}
    pairs = {
        a: b for a, b in moves.items() if a in known and a.rpartition("/")[0] not in left_alone
    }
    copied = {a: b for a, b in pairs.items() if b in known}
    _move_or_remove(files, pairs, copied, known)


def _move_or_remove(
    files: Files, moves: Mapping[str, str], copied: Mapping[str, str], known: Mapping[str, Entry]
) -> None:
    """Move files, but for those that have been copied: where moving is copying, it was broken off.

    Of these the ones that are the same at both ends are removed here, others are a later attempt's.
    """
    sums = {path: entry.md5 for path, entry in known.items() if entry.md5 is not None}
    if same := [a for a, b in copied.items() if a in sums and sums[a] == sums.get(b)]:
        files.remove_many(same)
    files.move_many([(a, b) for a, b in moves.items() if a not in copied])


def read_claims(
    files: Files, places: Sequence[tuple[str, int]], *, restarts: bool = True
) -> list[Claim | None]:
    """Return the newest claim of each attempt, given as folder and attempt; None for none.

    The fence that seals an attempt which has started is not one of these. Without `restarts` there
    is but one claim an attempt: no further ones are looked for.
    """
    newest: list[Claim | None] = [None] * len(places)
    left, position = list(range(len(places))), 0
    while left and (restarts or not position):
        paths = [f"{places[n][0]}/{claim_name(places[n][1], position)}" for n in left]
        found = zip(left, files.read_many(paths), strict=True)
        left = []
        for number, data in found:
            if data is not None:
                newest[number], more = _newer(newest[number], parse_claim(data), position)
                left += [number] if more else []
        position += 1
    return newest


def _newer(known: Claim | None, claim: Claim, position: int) -> tuple[Claim, bool]:
    """Return the newest claim so far, and whether there may be more of them."""
    if known is not None and claim.is_fence:
        return replace(known, sealed=True), False
    return (replace(claim, position=position) if position else claim), True


def read_claim(files: Files, metadir: str, attempt: int) -> Claim | None:
    """Return the newest claim of one attempt, None where nobody claimed it."""
    (claim,) = read_claims(files, [(metadir, attempt)])
    return claim


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
    for metadir, _ in places:
        files.make_folder(metadir)
    paths = [f"{metadir}/{claim_name(attempt)}" for metadir, attempt in places]
    return [
        _is_taken(files, path, made)
        for path, made in zip(paths, files.create_many([(p, fence) for p in paths]), strict=True)
    ]


def _is_taken(files: Files, path: str, made: bool | OSError) -> bool:
    if isinstance(made, OSError):
        raise made
    return made or _is_fence(files, path)


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
            return take_claims(files, [(metadir, attempt)], fence) == [True]
        if newest.is_fence or newest.sealed:
            return True
        if newest.restart > restart:
            return False
        position = newest.position
    path = f"{metadir}/{claim_name(attempt, position + 1)}"
    return files.create(path, fence) or _is_fence(files, path)
