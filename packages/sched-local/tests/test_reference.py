"""LocalScheduler as the reference has it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, Scheduler, SchedulerPostInit
from sched_local import LocalScheduler

REQUIRED = inspect.Parameter.empty

CONSTRUCTOR: dict[str, Any] = {
    "workdir": REQUIRED,
    "forks": 1,
    "error_strategy": "ignore",
    "num_retries": 3,
    "prescript": "",
    "postscript": "",
    "jobname_prefix": None,
    "submission_batch": None,
    "recheck_interval": 600,
    "cwd": None,
}

METHODS: dict[str, dict[str, Any]] = {
    "create_job": {"index": REQUIRED, "cmd": REQUIRED, "envs": None},
    "submit_job_and_update_status": {"job": REQUIRED},
    "retry_job": {"job": REQUIRED},
    "transition_job_status": {
        "job": REQUIRED,
        "new_status": REQUIRED,
        "rc": None,
        "error_msg": None,
        "is_killed": False,
    },
    "kill_job_and_update_status": {"job": REQUIRED},
    "count_running_jobs": {"jobs": REQUIRED},
    "check_all_done": {"jobs": REQUIRED, "polling_counter": REQUIRED},
    "kill_running_jobs": {"jobs": REQUIRED},
    "job_is_submitted_or_running": {"job": REQUIRED},
    "job_fails_before_running": {"job": REQUIRED},
    "jobcmd_shebang": {"job": REQUIRED},
    "jobcmd_init": {"job": REQUIRED},
    "jobcmd_prep": {"job": REQUIRED},
    "jobcmd_end": {"job": REQUIRED},
    "wrap_job_script": {"job": REQUIRED},
    "wrapped_job_script": {"job": REQUIRED},
    "submit_job": {"job": REQUIRED, "_mounted": False},
    "kill_job": {"job": REQUIRED},
    "job_is_running": {"job": REQUIRED},
}

TEXT = {"jobcmd_shebang", "jobcmd_init", "jobcmd_prep", "jobcmd_end", "wrap_job_script"}


def arguments(function: Any) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    return {p.name: p.default for p in named}


def test_the_bases() -> None:
    assert issubclass(LocalScheduler, Scheduler)
    assert issubclass(LocalScheduler, SchedulerPostInit)


def test_the_constructor() -> None:
    assert arguments(LocalScheduler) == CONSTRUCTOR
    assert list(arguments(LocalScheduler)) == list(CONSTRUCTOR)


@pytest.mark.parametrize("name", METHODS)
def test_the_methods(name: str) -> None:
    method = getattr(LocalScheduler, name)
    assert arguments(method) == METHODS[name]
    assert list(arguments(method)) == list(METHODS[name])
    assert inspect.iscoroutinefunction(method) is (name not in TEXT)


def test_the_attributes(tmp_path: Path) -> None:
    assert LocalScheduler.name == "local"
    assert LocalScheduler.job_class is Job
    assert isinstance(LocalScheduler.jobcmd_wrapper_init, str)
    scheduler = LocalScheduler(
        tmp_path / "run", 2, "retry", 1, "before", "after", "mine", 3, 60, "/"
    )
    assert (scheduler.forks, scheduler.error_strategy, scheduler.num_retries) == (2, "retry", 1)
    assert (scheduler.prescript, scheduler.postscript) == ("before", "after")
    assert (scheduler.jobname_prefix, scheduler.submission_batch) == ("mine", 3)
    assert (scheduler.recheck_interval, scheduler.cwd) == (60, "/")
    assert str(scheduler.workdir) == str(tmp_path / "run")
