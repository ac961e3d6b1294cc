from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sched_core import Job, JobStatus, SpecPath
from sched_core.lifecycle.queue import WaitingJobs

WORKDIR = SpecPath("/run")


def queued(index: int) -> Job:
    job = Job(index, "true", WORKDIR)
    job.status = JobStatus.QUEUED
    return job


def test_a_full_batch_leaves_at_once() -> None:
    waiting = WaitingJobs()
    for index in range(5):
        waiting.add(queued(index), None, now=10.0)
    assert [j.index for j in waiting.take(room=9, full=3, leaves_before=0.0)] == [0, 1, 2]
    assert waiting.take(room=9, full=3, leaves_before=0.0) == []
    assert len(waiting) == 2


def test_a_batch_that_is_not_full_waits_for_its_oldest() -> None:
    waiting = WaitingJobs()
    waiting.add(queued(0), None, now=10.0)
    waiting.add(queued(1), None, now=11.0)
    assert waiting.oldest() == 10.0
    assert waiting.take(room=9, full=3, leaves_before=9.9) == []
    assert [j.index for j in waiting.take(room=9, full=3, leaves_before=10.0)] == [0, 1]
    assert waiting.oldest() is None


def test_there_is_no_batch_above_the_room() -> None:
    waiting = WaitingJobs()
    for index in range(4):
        waiting.add(queued(index), None, now=0.0)
    assert [j.index for j in waiting.take(room=2, full=3, leaves_before=math.inf)] == [0, 1]
    assert len(waiting) == 2


def test_jobs_of_different_keys_never_share_a_batch() -> None:
    waiting = WaitingJobs()
    for index in range(6):
        waiting.add(queued(index), index % 2, now=0.0)
    batches = [waiting.take(9, 9, math.inf) for _ in range(3)]
    assert [[j.index for j in batch] for batch in batches] == [[0, 2, 4], [1, 3, 5], []]


def test_a_long_line_does_not_keep_others_waiting() -> None:
    waiting = WaitingJobs()
    for index in range(4):
        waiting.add(queued(index), "long", now=0.0)
    waiting.add(queued(9), "short", now=0.0)
    taken = [waiting.take(2, 2, math.inf)[0].index for _ in range(3)]
    assert taken == [0, 9, 2]


def test_what_was_killed_meanwhile_is_dropped() -> None:
    waiting = WaitingJobs()
    jobs = [queued(index) for index in range(3)]
    for job in jobs:
        waiting.add(job, None, now=0.0)
    jobs[1].status = JobStatus.KILLED
    assert waiting.take(9, 9, math.inf) == [jobs[0], jobs[2]]
    assert len(waiting) == 0


def test_what_was_killed_and_is_tried_again_leaves_once() -> None:
    waiting = WaitingJobs()
    job = queued(0)
    waiting.add(job, None, now=0.0)
    waiting.drop(job)
    job.attempt = 2
    waiting.add(job, None, now=0.0)
    assert waiting.take(9, 9, math.inf) == [job]


def test_a_job_joins_its_line_when_its_moment_has_come() -> None:
    waiting = WaitingJobs()
    late, early = queued(1), queued(0)
    waiting.add_later(late, None, at=20.0)
    waiting.add_later(early, None, at=10.0)
    assert waiting.next_moment() == 10.0
    assert waiting.indexes() == {0, 1}
    waiting.due(10.0)
    assert waiting.next_moment() == 20.0
    assert waiting.take(9, 9, math.inf) == [early]
    assert len(waiting) == 1


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 7), st.integers(1, 7))
def test_each_job_leaves_once_and_in_the_order_of_its_line(
    keys: list[str], room: int, full: int
) -> None:
    waiting = WaitingJobs()
    for index, key in enumerate(keys):
        waiting.add(queued(index), key, now=0.0)
    left: list[int] = []
    while batch := waiting.take(room, full, math.inf):
        assert len(batch) <= min(room, full)
        assert len({keys[job.index] for job in batch}) == 1
        left.extend(job.index for job in batch)
    assert sorted(left) == list(range(len(keys)))
    for key in "abc":
        assert [i for i in left if keys[i] == key] == [i for i, k in enumerate(keys) if k == key]


class Waiting(RuleBasedStateMachine):
    """The queue against a set: nothing is lost, nothing leaves twice."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = WaitingJobs()
        self.inside: dict[int, Job] = {}
        self.now = 0.0
        self.count = 0

    def _new(self) -> Job:
        job = queued(self.count)
        self.count += 1
        self.inside[job.index] = job
        return job

    @rule(key=st.integers(0, 2))
    def add(self, key: int) -> None:
        self.waiting.add(self._new(), key, self.now)

    @rule(key=st.integers(0, 2), delay=st.floats(0.1, 5))
    def add_later(self, key: int, delay: float) -> None:
        self.waiting.add_later(self._new(), key, self.now + delay)

    @rule(seconds=st.floats(0, 5))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.waiting.due(self.now)

    @precondition(lambda self: bool(self.inside))
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(sorted(self.inside)))
        self.inside[index].status = JobStatus.KILLED

    @rule(room=st.integers(1, 4), full=st.integers(1, 4))
    def take(self, room: int, full: int) -> None:
        for job in self.waiting.take(room, full, math.inf):
            assert job.status is JobStatus.QUEUED
            assert self.inside.pop(job.index) is job

    @invariant()
    def all_that_can_still_leave_is_there(self) -> None:
        alive = {i for i, job in self.inside.items() if job.status is JobStatus.QUEUED}
        assert alive <= self.waiting.indexes()
        assert len(self.waiting) >= len(alive)


TestWaiting = Waiting.TestCase
