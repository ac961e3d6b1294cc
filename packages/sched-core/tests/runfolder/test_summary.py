"""What a summary says is what the whole journal says, or it is not believed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from sched_core import JobStatus, RunCorrupt
from sched_core.model.failure import Failure
from sched_core.ports.files import Entry as FileEntry
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import (
    JobRecord,
    Journal,
    JournalReader,
    Layout,
    Summarizer,
    Tally,
    job_entry,
    read_journal,
    replay,
    state_entry,
)
from sched_core.runfolder import summary as summaries
from sched_core.runfolder.state import JOB_STATE
from sched_core.runfolder.summary import read_tally

from .helpers import make_layout

FILES = LocalFiles()
S = JobStatus
Entry = dict[str, Any]
BEGUN = 1_767_268_800.0


class Lives:
    """Jobs that are fed, run, fail, are tried again and interrupted at random: what is noted of them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = BEGUN
        self.jobs: dict[int, Entry] = {}

    def feed(self, count: int) -> list[Entry]:
        first = len(self.jobs)
        return [entry for index in range(first, first + count) for entry in self._fed(index)]

    def _fed(self, index: int) -> Iterator[Entry]:
        name = f"sample {index}" if self.random.random() < 0.3 else None
        yield job_entry(index, {"cmd": ["x"], "name": name, "timeout": index % 3})
        yield self._move(index, S.QUEUED, queued=self.now)

    def go_on(self, steps: int) -> list[Entry]:
        return [entry for _ in range(steps) for entry in self._step()]

    def _step(self) -> Iterator[Entry]:
        self.now += self.random.random()
        index = self.random.randrange(len(self.jobs))
        job = self.jobs[index]
        match S(job["to"]):
            case S.QUEUED if self.random.random() < 0.1:
                gone = {"ended": self.now, "failure": Failure.CANCELLED, "interrupted": True}
                yield self._move(index, S.KILLED, **gone)
            case S.QUEUED:
                host = f"node{self.random.randrange(3)}"
                yield self._move(index, S.RUNNING, started=self.now, host=host, jid=str(index))
            case S.RUNNING:
                yield self._end(index)
            case S.FINISHED:
                yield job | {"max_rss": 5}  # told late
            case _:
                again = {"attempt": job["attempt"] + 1, "queued": self.now, "started": None}
                yield self._move(index, S.QUEUED, **again, ended=None, failure=None, rc=None)

    def _end(self, index: int) -> Entry:
        if self.random.random() < 0.7:
            return self._move(index, S.FINISHED, rc=0, ended=self.now)
        failed = {"rc": 1, "ended": self.now, "failure": Failure.EXIT, "reason": "bad"}
        return self._move(index, S.FAILED, will_retry=self.random.random() < 0.3, **failed)

    def _move(self, index: int, to: JobStatus, **changes: Any) -> Entry:
        first: Entry = dict.fromkeys(JOB_STATE)
        first |= {"attempt": 1, "restart": 0, "trial_count": 0, "reason": "", "will_retry": False}
        state = self.jobs.get(index, first) | changes
        state = {key: value for key, value in state.items() if key not in ("state", "to", "at")}
        if "interrupted" not in changes:
            state.pop("interrupted", None)
        self.jobs[index] = state_entry(index, to, self.now, state)
        return self.jobs[index]


def told(jobs: dict[int, JobRecord], tally: Tally) -> tuple[object, ...]:
    """What can be said of a run by the records of its jobs, and the counts of others."""
    ends = [job.ended for job in jobs.values() if job.status is S.FINISHED and job.ended]
    starts = [job.started for job in jobs.values() if job.status is S.FINISHED and job.started]
    words = [_word(job) for job in jobs.values()]
    return (
        words.count("finished") + tally.finished,
        words.count("waiting") + tally.waiting,
        words.count("unbegun") + tally.unbegun,
        min([*starts, tally.began or 1e12]),
        max([*ends, tally.ended or 0.0]),
        sorted([*ends, *tally.ends])[-20:],
        [_shown(job) for job in jobs.values() if _word(job) == "told"],
    )


def _word(job: JobRecord) -> str:
    if job.status in (S.INIT, S.QUEUED):
        return "waiting"
    if job.interrupted and job.started is None:
        return "unbegun"
    return "finished" if job.status is S.FINISHED else "told"


def _shown(job: JobRecord) -> tuple[object, ...]:
    names = ("index", "name", "timeout", "status", "attempt", "rc", "failure", "reason", "host")
    return tuple(getattr(job, name) for name in (*names, "started", "ended", "will_retry"))


def whole(layout: Layout) -> tuple[object, ...]:
    return told(replay(read_journal(FILES, layout)), Tally())


def short(layout: Layout) -> tuple[object, ...]:
    tally = read_tally(FILES, layout)
    return told(tally.jobs(), tally)


class Reads(LocalFiles):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def read(self, path: str) -> bytes:
        data = super().read(path)
        self.bytes += len(data)
        return data


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small runs get summaries, too."""
    monkeypatch.setattr(summaries, "_LEAST", 2000)


def journal_of(layout: Layout, epoch: int = 1, files: LocalFiles = FILES) -> Journal:
    reader = JournalReader(FILES, layout)
    jobs = replay(reader.read_new().records)
    tally = Tally.of(jobs.values())
    return Journal(files, layout, epoch, Summarizer(files, layout, tally, reader.known))


def play(layout: Layout, seed: int = 1, flushes: int = 60, jobs: int = 30) -> Lives:
    lives, journal = Lives(seed), journal_of(layout)
    journal.write(lives.feed(jobs))
    for _ in range(flushes):
        journal.write(lives.go_on(3))
    return lives


@pytest.mark.parametrize("seed", range(12))
def test_t40_a_tally_that_was_kept_says_what_all_records_say(seed: int) -> None:
    lives = Lives(seed)
    entries = [*lives.feed(20), *lives.go_on(150), *lives.feed(5), *lives.go_on(50)]
    cut = lives.random.randrange(len(entries))
    tally = Tally()
    tally.take(entries[:cut])
    kept = Tally.from_json(json.loads(json.dumps(tally.to_json())))
    kept.take(entries[cut:])
    expected = told(replay(entries), Tally())
    assert told(kept.jobs(), kept) == expected
    again = Tally.of(replay(entries).values())
    assert told(again.jobs(), again) == expected
    assert kept.total == again.total == 25


@pytest.mark.parametrize("seed", range(2))
def test_t40_readers_at_each_moment_of_a_write_or_after_a_kill_are_told_the_truth(
    layout: Layout, seed: int
) -> None:
    """Each change of the disk is one at which a driver may be killed, and a reader may come."""
    seen = []

    class Watched(LocalFiles):
        def _fill(self, descriptor: int, data: bytes) -> None:
            half = len(data) // 2
            os.write(descriptor, data[:half])
            look()
            super()._fill(descriptor, data[half:])
            look()

        def remove(self, path: str) -> None:
            super().remove(path)
            look()

    def look() -> None:
        assert short(layout) == whole(layout)
        seen.append(os.path.exists(layout.summary))

    lives = Lives(seed)
    journal = journal_of(layout, 1, Watched())
    journal.write(lives.feed(30))
    for _ in range(50):
        journal.write(lives.go_on(2))
    journal = journal_of(layout, 2, Watched())  # the first one was killed
    for _ in range(40):
        journal.write(lives.go_on(2))
    journal.close()
    assert seen.count(True) > 100


def test_t40_what_is_read_does_not_grow_with_the_jobs_that_have_finished(layout: Layout) -> None:
    lives, journal = Lives(1), journal_of(layout)
    for _ in range(30):
        journal.write(lives.feed(100))
        entries = [lives._move(i, S.RUNNING, started=lives.now) for i in range(len(lives.jobs))]
        journal.write(entries[-100:])
        journal.write([lives._move(entry["state"], S.FINISHED) for entry in entries[-100:]])
    everything, little = Reads(), Reads()
    assert len(replay(read_journal(everything, layout))) == 3000
    assert read_tally(little, layout).finished == 3000
    assert little.bytes < everything.bytes / 10


def test_a_small_run_has_no_summary(layout: Layout) -> None:
    journal = journal_of(layout)
    journal.write(Lives(1).feed(3))
    journal.close()
    assert os.listdir(layout.journal) == ["1-0.jsonl"]


def test_a_run_without_a_summary_is_not_asked_for_one(layout: Layout) -> None:
    asked: list[tuple[str, str]] = []

    class Asked(LocalFiles):
        def names(self, folder: str) -> list[str]:
            asked.append(("names", folder))
            return super().names(folder)

        def entries(self, folder: str) -> dict[str, FileEntry]:
            asked.append(("entries", folder))
            return super().entries(folder)

        def read(self, path: str) -> bytes:
            asked.append(("read", path))
            return super().read(path)

    journal_of(layout).write(Lives(1).feed(3))
    read_tally(Asked(), layout)
    assert asked == [("names", layout.journal), ("read", layout.segment(1, 0))]


def test_the_end_is_summed_up(layout: Layout) -> None:
    lives, journal = Lives(1), journal_of(layout)
    journal.write(lives.feed(30))
    journal.write(lives.go_on(1))
    journal.close()
    reads = Reads()
    read_tally(reads, layout)
    assert reads.bytes == os.path.getsize(layout.summary)
    before = Path(layout.summary).stat().st_ino
    journal.close()
    assert Path(layout.summary).stat().st_ino == before  # nothing was added


def test_what_is_no_more_the_same_is_not_believed(layout: Layout) -> None:
    lives = play(layout)
    journal_of(layout, 2).write(lives.go_on(3))
    for name in sorted(os.listdir(layout.journal)):
        path = Path(layout.journal, name)
        if name == "summary" or path.read_bytes().count(b"\n") < 2:
            continue
        data, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        path.write_bytes(data[: data.rstrip(b"\n").rfind(b"\n") + 1])  # its last record is gone
        os.utime(path, ns=times)
        if not data.startswith(b'{"merged_from"'):
            assert short(layout) == whole(layout), name
        path.write_bytes(data)
        os.utime(path, ns=times)
        assert short(layout) == whole(layout), name


def test_what_was_written_after_the_summary_is_not_believed_to_be_in_it(layout: Layout) -> None:
    journal = journal_of(layout)
    journal.write(Lives(1).feed(30))
    journal.close()
    path, summed = Path(layout.segment(1, 0)), short(layout)
    path.write_bytes(path.read_bytes().replace(b'"to":2', b'"to":7'))
    later = Path(layout.summary).stat().st_mtime + 1
    os.utime(path, (later, later))
    assert summed != short(layout) == whole(layout)


def test_t54_what_a_slow_driver_adds_before_the_next_ones_records_is_read(layout: Layout) -> None:
    lives = play(layout)
    journal = journal_of(layout, 2)
    journal.write(lives.go_on(40))
    journal.close()
    assert short(layout) == whole(layout)
    late = state_entry(0, S.RUNNING, 1.0, {"attempt": 9})
    Path(layout.segment(1, 999)).write_text(json.dumps(late) + "\n")
    assert short(layout) == whole(layout)


def test_a_summary_of_another_run_or_of_an_earlier_copy_is_not_believed(
    layout: Layout, tmp_path: Path
) -> None:
    other = make_layout(tmp_path / "other")
    play(layout, seed=1)
    play(other, seed=2)
    foreign = Path(other.summary).read_bytes()
    Path(layout.summary).write_bytes(foreign)
    assert short(layout) == whole(layout)
    play_more = journal_of(layout, 2)
    play_more.write(Lives(3).feed(1))
    later = Path(layout.summary).read_bytes()
    Path(layout.segment(2, 0)).unlink()  # the journal was put back as it was before
    Path(layout.summary).write_bytes(later)
    assert short(layout) == whole(layout)


def test_a_summary_that_is_cut_short_or_damaged_anywhere_is_not_believed(layout: Layout) -> None:
    play(layout, jobs=8, flushes=20)
    path = Path(layout.summary)
    good, expected = path.read_bytes(), whole(layout)
    for end in range(len(good)):
        path.write_bytes(good[:end])
        assert summaries._load(good[:end], "") is None, end
    for place in range(len(good)):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        assert summaries._load(bad, "") is None, place
    for end in (0, 1, 9, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:end])
        assert short(layout) == expected


@pytest.mark.parametrize(
    "record",
    [
        {"version": 2, "segments": [], "jobs": {}},
        {"version": 1, "segments": [], "jobs": {}},
        {"version": 1, "segments": [[1, 0]], "jobs": {}},
        {"version": 1},
        [1],
        {"version": 1, "segments": [], "jobs": Tally().to_json() | {"finished": [[0, 10**12]]}},
        {"version": 1, "segments": [], "jobs": Tally().to_json() | {"finished": [[-1, 5]]}},
        {"version": 1, "segments": [], "jobs": Tally().to_json() | {"told": [{"state": -1}]}},
    ],
)
def test_what_is_no_summary_is_none(record: object) -> None:
    body = json.dumps(record).encode() + b"\n"
    assert summaries._load(b"%08x\n" % crc32(body) + body, "") is None


def test_records_that_make_no_sense_are_told_of_as_ever(layout: Layout) -> None:
    play(layout)
    journal_of(layout, 2).write([{"state": 0, "to": 77, "attempt": 1}])
    with pytest.raises(RunCorrupt, match="77"):
        read_tally(FILES, layout)


def test_a_folder_that_is_used_again_is_read_as_a_whole(layout: Layout) -> None:
    lives = play(layout)
    journal = journal_of(layout, 2)
    again = [job_entry(index, {"cmd": ["y"]}) for index in range(5)]
    journal.write([{"generation": 2, "at": 1.0}, *again])
    journal.write(lives.feed(40))
    assert short(layout) == whole(layout)


def test_a_summary_that_cannot_be_written_is_missed_by_nobody(layout: Layout) -> None:
    class Full(LocalFiles):
        def write(self, path: str, data: bytes) -> None:
            raise OSError(28, "No space left on device", path)

    lives, journal = Lives(1), journal_of(layout, 1, Full())
    journal.write(lives.feed(30))
    for _ in range(40):
        journal.write(lives.go_on(3))
    assert not os.path.exists(layout.summary)
    assert short(layout) == whole(layout)


def test_a_run_with_too_many_to_tell_of_has_none(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "_MOST_TOLD", 10)
    lives, journal = Lives(1), journal_of(layout)
    journal.write(lives.feed(200))
    there = Path(layout.summary).stat().st_ino
    journal.write([lives._move(index, S.RUNNING, started=1.0) for index in range(11)])
    journal.write(lives.feed(200))
    assert Path(layout.summary).stat().st_ino == there
    assert short(layout) == whole(layout)
