"""What attempts ask for, and what they get more of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure, Job, OptionError, Resources
from sched_core.processes.machine import parse_cards
from sched_core.scheduler.wishes import change_resources, check_every_attempt

from ..backend import session_scheduler

GIB = 2**30
Session: Any = session_scheduler()


def made(tmp_path: Path, cls: Any = Session, **options: Any) -> Any:
    return cls(tmp_path / "run", **options)


def job_of(scheduler: Any, **wishes: Any) -> Job:
    job: Job = scheduler.new_job(0, ["true"])
    job.resources = Resources(**wishes) if wishes else None
    return job


class TestWhatAnAttemptAsksFor:
    def test_it_has_one_value(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, resources={"memory": ["4G", "8G"], "cpus": 2})
        job = job_of(scheduler)
        assert scheduler.job_resources(job) == Resources(2, "4G")
        job.raised = {"memory": 8 * GIB}
        assert scheduler.job_resources(job) == Resources(2, "8G")

    def test_the_jobs_own_come_first(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, resources={"memory": ["4G", "8G"], "cpus": 2})
        job = job_of(scheduler, memory="1G")
        assert scheduler.job_resources(job) == Resources(2, "1G")
        assert scheduler.next_amount(job, Failure.OUT_OF_MEMORY) is None

    @pytest.mark.parametrize(
        "options, timeout, time, limit",
        [
            ({}, None, None, None),
            ({"timeout": 5}, None, None, 5),
            ({"timeout": 5, "resources": {"time": 6}}, None, None, 5),
            ({"resources": {"time": [6, 7]}}, None, None, 6),
            ({"timeout": 5, "resources": {"time": 6}}, None, 8, 8),
            ({"timeout": 5}, 9.0, 8, 9),
        ],
    )
    def test_which_limit_of_time_counts(
        self, tmp_path: Path, options: Any, timeout: Any, time: Any, limit: Any
    ) -> None:
        scheduler = made(tmp_path, **options)
        job = job_of(scheduler) if time is None else job_of(scheduler, time=time)
        job.timeout = timeout
        assert scheduler.time_limit(job) == limit


class TestWhatIsRaised:
    def test_each_failure_has_its_resource(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, resources={"memory": ["4G", "8G"], "time": ["1h", "2h"]})
        job = job_of(scheduler)
        assert scheduler.next_amount(job, Failure.OUT_OF_MEMORY) == ("memory", 8 * GIB)
        assert scheduler.next_amount(job, Failure.TIMEOUT) == ("time", 7200)
        for other in set(Failure) - {Failure.OUT_OF_MEMORY, Failure.TIMEOUT}:
            assert scheduler.next_amount(job, other) is None
        assert scheduler.next_amount(job, None) is None

    def test_one_is_raised_while_the_other_stays(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, resources={"memory": ["4G", "8G"], "time": ["1h", "2h"]})
        job = job_of(scheduler)
        job.failure = Failure.OUT_OF_MEMORY
        assert scheduler.raise_resources(job)
        assert not scheduler.raise_resources(job)
        assert scheduler.job_resources(job) == Resources(memory="8G", time="1h")
        job.failure = Failure.TIMEOUT
        assert scheduler.raise_resources(job)
        assert scheduler.job_resources(job) == Resources(memory="8G", time="2h")

    def test_a_timeout_of_the_users_own_is_not_raised(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, timeout="1h", resources={"time": ["1m", "2m"]})
        assert scheduler.next_amount(job_of(scheduler), Failure.TIMEOUT) is None

    def test_what_was_raised_holds_where_values_change(self, tmp_path: Path) -> None:
        job = job_of(made(tmp_path))
        job.raised = {"memory": 8 * GIB}
        for memory, has, then in (
            (["4G", "8G", "16G"], 8 * GIB, 16 * GIB),
            (["6G", "12G"], 8 * GIB, 12 * GIB),
            (["32G", "64G"], 32 * GIB, 64 * GIB),
        ):
            scheduler = made(tmp_path, resources={"memory": memory})
            assert scheduler.job_resources(job).memory == has
            assert scheduler.next_amount(job, Failure.OUT_OF_MEMORY) == ("memory", then)


class Small(Session):  # type: ignore[misc]  # the README's, known at run time
    def check_job(self, job: Job) -> None:
        super().check_job(job)
        if (self.job_resources(job).memory or 0) > 8 * GIB:
            raise OptionError("no more than 8 GiB")


class TestWhatCanBePromised:
    def test_the_last_value_is_checked_as_well(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, Small)
        check_every_attempt(scheduler, job_of(scheduler, memory=["4G", "8G"]))
        for memory in ("9G", ["4G", "9G"]):
            job = job_of(scheduler, memory=memory)
            with pytest.raises(OptionError, match="8 GiB"):
                check_every_attempt(scheduler, job)
            assert job.raised is None

    def test_a_change_that_cannot_be_promised_changes_nothing(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, Small)
        job = job_of(scheduler, memory=["1G", "2G"])
        job.timeout, job.raised = 5.0, {"memory": 2 * GIB}
        with pytest.raises(OptionError, match="8 GiB"):
            change_resources(scheduler, job, Resources(memory="9G", time=6))
        assert job.resources == Resources(memory=["1G", "2G"])
        assert (job.timeout, job.raised) == (5.0, {"memory": 2 * GIB})

    def test_a_change_begins_anew(self, tmp_path: Path) -> None:
        scheduler = made(tmp_path, Small)
        job = job_of(scheduler, memory=["4G", "8G"], cpus=2)
        job.timeout, job.raised = 5.0, {"memory": 8 * GIB}
        change_resources(scheduler, job, Resources(memory="1G", time=6))
        assert scheduler.job_resources(job) == Resources(2, "1G", 6)
        assert scheduler.time_limit(job) == 6


class TestCards:
    @pytest.mark.parametrize(
        "value, cards",
        [
            (None, None),
            (2, ("0", "1")),
            ("2", ("0", "1")),
            (0, ()),
            ("0,1", ("0", "1")),
            ("GPU-8932f937, MIG-1/2", ("GPU-8932f937", "MIG-1/2")),
            ([3, "5"], ("3", "5")),
            ((), ()),
        ],
    )
    def test_numbers_and_names(self, value: Any, cards: Any) -> None:
        assert parse_cards(value) == cards

    @pytest.mark.parametrize("value", ["", "a,", "a b", "0,0", "a;b", True, [""], -1])
    def test_what_is_none_is_refused(self, value: Any) -> None:
        with pytest.raises(OptionError, match="give how many graphics cards there are"):
            parse_cards(value)
