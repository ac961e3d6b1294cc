"""Every name of the reference is here, with its arguments and defaults: Scheduler, Job's files."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from sched_core import Job, JobStatus, Scheduler, SchedulerPostInit

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

# Name: whether it touches a disk or an engine, and its arguments.
METHODS: dict[str, tuple[bool, dict[str, Any]]] = {
    "create_job": (True, {"index": REQUIRED, "cmd": REQUIRED, "envs": None}),
    "submit_job_and_update_status": (True, {"job": REQUIRED}),
    "retry_job": (True, {"job": REQUIRED}),
    "transition_job_status": (
        True,
        {
            "job": REQUIRED,
            "new_status": REQUIRED,
            "rc": None,
            "error_msg": None,
            "is_killed": False,
        },
    ),
    "kill_job_and_update_status": (True, {"job": REQUIRED}),
    "count_running_jobs": (True, {"jobs": REQUIRED}),
    "check_all_done": (True, {"jobs": REQUIRED, "polling_counter": REQUIRED}),
    "kill_running_jobs": (True, {"jobs": REQUIRED}),
    "job_is_submitted_or_running": (True, {"job": REQUIRED}),
    "job_fails_before_running": (True, {"job": REQUIRED}),
    "jobcmd_shebang": (False, {"job": REQUIRED}),
    "jobcmd_init": (False, {"job": REQUIRED}),
    "jobcmd_prep": (False, {"job": REQUIRED}),
    "jobcmd_end": (False, {"job": REQUIRED}),
    "wrap_job_script": (False, {"job": REQUIRED}),
    "wrapped_job_script": (True, {"job": REQUIRED}),
    "submit_job": (True, {"job": REQUIRED}),
    "kill_job": (True, {"job": REQUIRED}),
    "job_is_running": (True, {"job": REQUIRED}),
}

ATTRIBUTES = "job_class jobcmd_wrapper_init JOBCMD_WRAPPER_LANG DEFAULT_MOUNTED_ROOT".split()

JOB_CONSTRUCTOR: dict[str, Any] = {
    "index": REQUIRED,
    "cmd": REQUIRED,
    "workdir": REQUIRED,
    "error_retry": None,
    "num_retries": None,
    "envs": None,
}

JOB_METHODS: dict[str, dict[str, Any]] = {
    "get_rc": {},
    "set_rc": {"rc": REQUIRED},
    "get_jid": {},
    "set_jid": {"jid": REQUIRED},
    "get_status": {"refresh": False},
    "set_status": {"status": REQUIRED},
}

JOB_ATTRIBUTES = """
    index cmd envs metadir attempt trial_count jid status rc failure resources will_retry host started
    ended context name stdout_file stderr_file status_file rc_file jid_file retry_dir
""".split()


def arguments(function: Any) -> dict[str, Any]:
    """Return the arguments after self that can be given by name, with their defaults."""
    parameters = list(inspect.signature(function).parameters.values())
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    return {p.name: p.default for p in named}


def test_the_constructor_takes_the_arguments_of_the_reference() -> None:
    assert arguments(Scheduler.__init__) == CONSTRUCTOR
    assert list(arguments(Scheduler.__init__)) == list(CONSTRUCTOR)
    kinds = [p.kind for p in inspect.signature(Scheduler.__init__).parameters.values()]
    assert kinds[-1] is inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize("name", METHODS)
def test_the_methods_are_those_of_the_reference(name: str) -> None:
    touches, expected = METHODS[name]
    method = getattr(Scheduler, name)
    assert arguments(method) == expected
    assert list(arguments(method)) == list(expected)
    assert inspect.iscoroutinefunction(method) is touches


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_attributes_are_those_of_the_reference(name: str) -> None:
    assert hasattr(Scheduler, name)


def test_a_backend_is_complete_with_three_methods() -> None:
    assert Scheduler.__abstractmethods__ == {"submit_job", "kill_job", "job_is_running"}


def test_hosts_mix_in_post_init() -> None:
    assert issubclass(Scheduler, SchedulerPostInit)
    assert SchedulerPostInit.job_class is Job
    assert SchedulerPostInit.fs_shared is True
    assert arguments(SchedulerPostInit.init_proc) == {"proc": REQUIRED}
    assert inspect.iscoroutinefunction(SchedulerPostInit.init_proc)
    assert arguments(SchedulerPostInit) == {}


def test_jobs_are_built_as_the_reference_builds_them() -> None:
    assert arguments(Job.__init__) == JOB_CONSTRUCTOR
    assert list(arguments(Job.__init__)) == list(JOB_CONSTRUCTOR)


@pytest.mark.parametrize("name", JOB_METHODS)
def test_the_methods_of_jobs_are_those_of_the_reference(name: str) -> None:
    method = getattr(Job, name)
    assert arguments(method) == JOB_METHODS[name]
    assert inspect.iscoroutinefunction(method)


@pytest.mark.parametrize("name", JOB_ATTRIBUTES)
def test_the_attributes_of_jobs_are_those_of_the_reference(name: str) -> None:
    assert hasattr(Job, name)


def test_the_numbers_of_states_are_those_of_the_reference() -> None:
    assert {status.name: int(status) for status in JobStatus} == {
        "INIT": 0,
        "QUEUED": 2,
        "SUBMITTED": 3,
        "RUNNING": 4,
        "KILLING": 5,
        "FINISHED": 6,
        "FAILED": 7,
        "KILLED": 8,
    }
