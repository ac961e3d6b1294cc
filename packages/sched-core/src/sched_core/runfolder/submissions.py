"""Submissions: recorded before the engine is called, so that none is ever repeated blindly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import RunCorrupt
from ..ports.files import Files
from .layout import Layout
from .records import MALFORMED, dump, load

__all__ = ["AttemptId", "Submission", "read_submissions", "write_submission"]


class AttemptId(NamedTuple):
    """One attempt at one job: what an observation, a claim and an event are about."""

    job_index: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What is, or is about to be, handed to an engine in one call.

    `sid` sorts after those of earlier submissions of the run. `name` travels with it as job name,
    comment, label or request id; `tasks` are the attempts in the order of the engine's tasks, of
    which each runs `chunk` of them, one after the other. `recorded_at` is just before that was
    written down, in seconds since 1970: by this clock, none of them has started before.
    """

    sid: str
    name: str
    backend: str
    tasks: tuple[AttemptId, ...]
    chunk: int = 1
    recorded_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return {
            "sid": self.sid,
            "name": self.name,
            "backend": self.backend,
            "tasks": self.tasks,
            "chunk": self.chunk,
            "recorded_at": self.recorded_at,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Submission:
        """Read what `to_json` wrote."""
        tasks = tuple(AttemptId(int(i), int(a)) for i, a in data["tasks"])
        recorded_at = data.get("recorded_at")
        return cls(
            str(data["sid"]),
            str(data["name"]),
            str(data["backend"]),
            tasks,
            int(data.get("chunk", 1)),
            None if recorded_at is None else float(recorded_at),
        )


def write_submission(files: Files, layout: Layout, submission: Submission) -> None:
    """Record a submission; its id is new, so the record is too."""
    files.create(layout.submission(submission.sid), dump(submission.to_json()))


def read_submissions(files: Files, layout: Layout) -> list[Submission]:
    """Return the recorded submissions, oldest first."""
    names = (name for name in files.names(layout.submissions) if name.endswith(".json"))
    paths = [f"{layout.submissions}/{name}" for name in sorted(names)]
    # One may have been settled, and removed by another driver, just now. A record that was cut short
    # was never followed by a call to the engine.
    found = zip(paths, files.read_many(paths), strict=True)
    whole = [(path, data) for path, data in found if data is not None and data.endswith(b"\n")]
    return [_read(load(data, path), path) for path, data in whole]


def _read(record: dict[str, Any], path: str) -> Submission:
    try:
        found = Submission.from_json(record)
    except MALFORMED as error:
        raise RunCorrupt(f"{path} cannot be read: {error!r} is missing or wrong") from None
    if not path.endswith(f"/{found.sid}.json"):
        raise RunCorrupt(f"{path} cannot be read: it tells of another submission, {found.sid}")
    return found
