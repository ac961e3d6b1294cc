"""A run's jobs in short: those that wait or have finished are only counted, the others are told of."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..model.status import JobStatus
from .records import MALFORMED
from .state import JOB_STATE, SPARSE_STATE, JobRecord, check_numbers, replay, state_entry

__all__ = ["Inexact", "Tally", "recent_ends"]

_RECENT, _FEWEST_ENDS, _MOST_ENDS = 60.0, 20, 5_000
"""Of late are the ends of the last so many seconds, but of so many jobs at least and at most."""
_MOST_JOBS = 10_000_000
"""Indexes beyond that are not counted: each takes up a byte, and all before it."""

_NONE, _WAITING, _FINISHED, _UNBEGUN, _TOLD = range(5)
_COUNTED = {"waiting": _WAITING, "finished": _FINISHED, "unbegun": _UNBEGUN}
_PLACES = dict.fromkeys(map(int, JobStatus), _TOLD) | {
    JobStatus.INIT: _WAITING,
    JobStatus.QUEUED: _WAITING,
    JobStatus.FINISHED: _FINISHED,
}
_SPEC = ("name", "resources", "timeout")
"""What is kept of what a job is to run, where it is given, as long as the job may be told of."""
_STATE = (*JOB_STATE, *SPARSE_STATE, "interrupted")
_TIMES = ("queued", "submitted", "started", "ended")
_STATE_OF_COUNTED = ("attempt", "host", *_TIMES)


class Inexact(Exception):
    """The records tell of something that a tally cannot follow, or make no sense."""


class Tally:
    """The jobs of a run, as far as its records were taken; it stays small, however many finish.

    It says what a `Replay` of the same records would say, or raises Inexact and is of no use.
    """

    def __init__(self) -> None:
        self.began: float | None = None
        """When the first of the jobs that have finished was started, in seconds since 1970."""
        self.ended: float | None = None
        """When the last of them ended."""
        self.ends: list[float] = []
        """When those of them ended that ended of late, in no order."""
        self.last = 0.0
        """When something happened last to a job that is only counted; 0.0 for never."""
        self.hosts: set[str] = set()
        """Where the jobs have run that have finished."""
        self._places = bytearray()  # by index
        self._numbers = [0] * 5
        self._told: dict[int, Mapping[str, Any]] = {}
        self._specs: dict[int, tuple[Any, ...]] = {}

    @classmethod
    def of(cls, jobs: Iterable[JobRecord]) -> Tally:
        """Return the tally of all jobs of a run."""
        tally = cls()
        for job in jobs:
            tally._add({"job": job.index} | {key: getattr(job, key) for key in _SPEC})
            if job.status is not JobStatus.INIT:
                names = _STATE if _PLACES[job.status] == _TOLD else _STATE_OF_COUNTED
                state = {key: value for key in names if (value := getattr(job, key)) is not None}
                tally._move(state_entry(job.index, job.status, 0.0, state))
        return tally

    @property
    def total(self) -> int:
        """How many jobs there are."""
        return sum(self._numbers)

    @property
    def waiting(self) -> int:
        """How many jobs no engine was given yet."""
        return self._numbers[_WAITING]

    @property
    def finished(self) -> int:
        """How many jobs have finished."""
        return self._numbers[_FINISHED]

    @property
    def unbegun(self) -> int:
        """How many jobs were not begun since the run was interrupted."""
        return self._numbers[_UNBEGUN]

    @property
    def told(self) -> int:
        """How many jobs are told of."""
        return self._numbers[_TOLD]

    def jobs(self) -> dict[int, JobRecord]:
        """Return the jobs that are told of, by index, without their commands. Raises RunCorrupt."""
        return replay(self._told_entries())

    def _told_entries(self) -> Iterator[Mapping[str, Any]]:
        for index in sorted(self._told):
            spec = zip(_SPEC, self._specs.get(index, ()), strict=False)
            yield {"job": index} | {key: value for key, value in spec if value}
            yield self._told[index]

    # --- taking records ------------------------------------------------------------------------

    def take(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Take the next records of the journal. Raises Inexact."""
        try:
            for entry in entries:
                if "state" in entry:
                    self._move(entry)
                elif "job" in entry:
                    self._add(entry)
                elif "generation" in entry and self.total:
                    raise Inexact("the folder is used again")
        except MALFORMED as error:
            raise Inexact(repr(error)) from None

    def _add(self, entry: Mapping[str, Any]) -> None:
        index = entry["job"]
        self._make_room(index)
        if self._places[index] == _NONE:
            self._put(index, _WAITING)
        spec = tuple([entry.get(key) for key in _SPEC])
        if any(spec) and self._places[index] != _FINISHED:
            self._specs[index] = spec
        else:
            self._specs.pop(index, None)

    def _make_room(self, index: int) -> None:
        check_numbers(index)
        if index >= len(self._places):
            if index > _MOST_JOBS:
                raise Inexact("indexes are too far apart")
            self._places.extend(bytes(index + 1 - len(self._places)))

    def _move(self, entry: Mapping[str, Any]) -> None:
        index, place = entry["state"], _place(entry)
        before = self._places[index]
        if before == _FINISHED and place == _FINISHED:
            return  # what it has used was told late
        if before in (_NONE, _FINISHED):
            raise Inexact("what has finished is only counted")
        self._put(index, place)
        if place == _TOLD:
            self._told[index] = entry
        else:
            self._told.pop(index, None)
            self._note(entry)
        if place == _FINISHED:
            self._finish(index, entry)

    def _put(self, index: int, place: int) -> None:
        before, self._places[index] = self._places[index], place
        self._numbers[before] -= 1
        self._numbers[place] += 1
        self._numbers[_NONE] = 0

    def _note(self, entry: Mapping[str, Any]) -> None:
        self.last = max(self.last, *[entry.get(key) or 0.0 for key in _TIMES])

    def _finish(self, index: int, entry: Mapping[str, Any]) -> None:
        self._specs.pop(index, None)
        started, ended, host = entry.get("started"), entry.get("ended"), entry.get("host")
        if started is not None:
            self.began = started if self.began is None else min(started, self.began)
        if ended is not None:
            self.ended = ended if self.ended is None else max(ended, self.ended)
            self.ends.append(ended)
        if host is not None:
            self.hosts.add(host)

    # --- as a record ---------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes; ends that are not of late are forgotten."""
        self.ends = recent_ends(self.ends, self.ended or 0.0)
        return {
            **{name: _ranges(self._places, place) for name, place in _COUNTED.items()},
            "told": list(self._told.values()),
            "specs": [[index, *spec] for index, spec in self._specs.items()],
            "began": self.began,
            "ended": self.ended,
            "ends": self.ends,
            "last": self.last,
            "hosts": list(self.hosts),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Tally:
        """Return the tally that the record tells of. Raises Inexact, or one of MALFORMED."""
        tally = cls()
        for name, place in _COUNTED.items():
            for first, last in record[name]:
                tally._put_all(first, last, place)
        for entry in record["told"]:
            index = entry["state"]
            tally._put_all(index, index, _TOLD)
            tally._told[index] = entry
        tally._specs = {index: tuple(spec) for index, *spec in record["specs"]}
        tally.began, tally.ended = record["began"], record["ended"]
        tally.ends, tally.last = record["ends"], record["last"]
        tally.hosts = set(record["hosts"])
        return tally

    def _put_all(self, first: int, last: int, place: int) -> None:
        check_numbers(first)
        self._make_room(last)
        self._places[first : last + 1] = bytes([place]) * (last + 1 - first)
        self._numbers[place] += last + 1 - first


def recent_ends(ends: list[float], until: float) -> list[float]:
    """Return those of the ends that tell how fast jobs end of late, up to that moment."""
    recent = [end for end in ends if end >= until - _RECENT]
    if _FEWEST_ENDS <= len(recent) <= _MOST_ENDS:
        return recent
    return heapq.nlargest(min(max(len(recent), _FEWEST_ENDS), _MOST_ENDS), ends)


def _place(entry: Mapping[str, Any]) -> int:
    check_numbers(entry["state"], entry["attempt"])
    place = _PLACES[entry["to"]]
    if place == _TOLD and entry.get("interrupted") and entry.get("started") is None:
        return _UNBEGUN if entry["to"] == JobStatus.KILLED else place
    return place


def _ranges(places: bytearray, place: int) -> list[list[int]]:
    """[[first, last], ...] of the indexes that are at this place."""
    runs = re.finditer(re.escape(bytes([place])) + b"+", places)
    return [[run.start(), run.end() - 1] for run in runs]
