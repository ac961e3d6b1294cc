"""ContainerScheduler as the reference has it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_core import Job, OptionError, Scheduler, SchedulerPostInit
from sched_core.model.container import Container

# An image has no default, but may come with `container`.
CONSTRUCTOR: dict[str, Any] = {
    "image": None,
    "entrypoint": "/bin/bash",
    "bin": "docker",
    "volumes": None,
    "remove": True,
    "user": None,
    "bin_args": None,
}

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


def made(tmp_path: Path, **options: Any) -> Container:
    scheduler = ContainerScheduler(tmp_path / "run", **options)
    assert scheduler.container is not None
    return scheduler.container


def test_the_bases() -> None:
    assert issubclass(ContainerScheduler, Scheduler)
    assert issubclass(ContainerScheduler, SchedulerPostInit)


def test_the_constructor() -> None:
    found = {p.name: p.default for p in named(ContainerScheduler)}
    assert found.items() >= CONSTRUCTOR.items()
    assert inspect.signature(ContainerScheduler).parameters["kwargs"].kind is (
        inspect.Parameter.VAR_KEYWORD
    )


@pytest.mark.parametrize("name", METHODS)
def test_the_methods(name: str) -> None:
    method, base = getattr(ContainerScheduler, name), getattr(Scheduler, name)
    assert [(p.name, p.default) for p in named(method)] == [
        (p.name, p.default) for p in named(base)
    ]
    assert inspect.iscoroutinefunction(method) is (name not in TEXT)


def test_the_attributes() -> None:
    assert ContainerScheduler.name == "container"
    assert ContainerScheduler.job_class is Job
    assert isinstance(ContainerScheduler.jobcmd_wrapper_init, str)


def test_options_become_a_container(tmp_path: Path) -> None:
    container = made(
        tmp_path,
        image="busybox",
        entrypoint=["/bin/bash", "-l"],
        bin="/opt/bin/podman",
        user="1:2",
        bin_args="--network none",
        remove=False,
        pull="never",
    )
    assert container == Container(
        image="busybox",
        entrypoint=("/bin/bash", "-l"),
        engine="/opt/bin/podman",
        user="1:2",
        args=("--network", "none"),
        remove=False,
        pull="never",
    )


def test_options_fill_in_what_a_container_leaves_open(tmp_path: Path) -> None:
    given = {"image": "busybox", "engine": "podman", "args": ["--network", "none"]}
    container = made(tmp_path, container=given, user="1:2", bin_args=["--network", "host"])
    assert (container.image, container.engine, container.user) == ("busybox", "podman", "1:2")
    assert container.args == ("--network", "host")


def test_an_image_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="image is missing"):
        ContainerScheduler(tmp_path / "run")


def test_a_scheduler_is_made_again_of_its_options(tmp_path: Path) -> None:
    first = ContainerScheduler(
        tmp_path / "run",
        forks=3,
        container={"image": "busybox", "volumes": ["/a:/b:ro"]},
        bin="podman",
        volumes="DATA=/data",
        bin_args=["--network", "none"],
    )
    options = first.options()
    assert ContainerScheduler(tmp_path / "run", **options).options() == options
    assert options["volumes"] == ["DATA=/data", "/a:/b:ro"]
    changed = ContainerScheduler(tmp_path / "run", **options | {"bin": "docker"})
    assert changed.container is not None
    assert changed.container.engine == "docker"
