"""GbatchScheduler as the reference has it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from sched_core import Job, OptionError, Scheduler, SchedulerPostInit
from sched_gbatch import GbatchScheduler

from .helpers import RUN, made

OPTIONAL = """
    mount service_account network subnetwork no_external_ip_address machine_type provisioning_model
    image_uri entrypoint commands runnables
""".split()

METHODS = """
    create_job submit_job_and_update_status retry_job transition_job_status kill_job_and_update_status
    count_running_jobs check_all_done kill_running_jobs job_is_submitted_or_running
    job_fails_before_running jobcmd_shebang jobcmd_init jobcmd_prep jobcmd_end wrap_job_script
    wrapped_job_script submit_job kill_job job_is_running
""".split()

TEXT = {"jobcmd_shebang", "jobcmd_init", "jobcmd_prep", "jobcmd_end", "wrap_job_script"}


def named(function: Any) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(function).parameters.values())
    return [p for p in parameters if p.name != "self" and not p.name.startswith("_")]


def test_the_bases() -> None:
    assert issubclass(GbatchScheduler, Scheduler)
    assert issubclass(GbatchScheduler, SchedulerPostInit)


def test_the_constructor() -> None:
    parameters = inspect.signature(GbatchScheduler).parameters
    assert [*parameters] == ["args", "project", "location", *OPTIONAL, "kwargs"]
    assert all(parameters[name].default is None for name in OPTIONAL)
    assert parameters["args"].kind is inspect.Parameter.VAR_POSITIONAL
    assert parameters["kwargs"].kind is inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize("name", ["project", "location"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_what_is_required(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=f"{name} is missing: give .* \\({name}=\\.\\.\\.\\)"):
        made(**{name: value})


@pytest.mark.parametrize("name", METHODS)
def test_the_methods(name: str) -> None:
    method, base = getattr(GbatchScheduler, name), getattr(Scheduler, name)
    assert [(p.name, p.default) for p in named(method)] == [
        (p.name, p.default) for p in named(base)
    ]
    assert inspect.iscoroutinefunction(method) is (name not in TEXT)


def test_the_attributes() -> None:
    assert GbatchScheduler.name == "gbatch"
    assert GbatchScheduler.job_class is Job
    assert isinstance(GbatchScheduler.jobcmd_wrapper_init, str)
    assert GbatchScheduler.DEFAULT_MOUNTED_ROOT == "/mnt/disks"


def test_the_arguments_of_the_base_by_position() -> None:
    scheduler = GbatchScheduler(RUN, 7, "retry", project="p", location="us-central1")
    assert (scheduler.forks, scheduler.error_strategy) == (7, "retry")
    assert str(scheduler.workdir) == RUN


def test_another_language_of_wrappers() -> None:
    class Other(GbatchScheduler):
        JOBCMD_WRAPPER_LANG = "/opt/bin/bash -l"

    scheduler = Other(RUN, project="p", location="us-central1", image_uri="debian:12")
    found = scheduler.definition(
        scheduler.needs_of(scheduler.new_job(0, ["true"])), tasks=1, parallelism=1
    )
    container = found["taskGroups"][0]["taskSpec"]["runnables"][0]["container"]
    assert container["entrypoint"] == "/opt/bin/bash"
    assert container["commands"][0] == "-l"
