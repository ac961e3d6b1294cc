"""What the emulator does with the runnables of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.cloud import batch_v1

from .batch_calls import Caller, group_of
from .batch_rig import caller, emulator, store

__all__ = ["caller", "emulator", "store"]

TaskState = batch_v1.TaskStatus.State
RETRY = batch_v1.LifecyclePolicy.Action.RETRY_TASK


def run(caller: Caller, *runnables: dict[str, Any], **spec: Any) -> str:
    job = caller.create({"task_spec": {"runnables": list(runnables)} | spec})
    caller.emulator.wait(job)
    return job


def script(text: str, **words: Any) -> dict[str, Any]:
    return {"script": {"text": text}} | words


def code_of(caller: Caller, job: str) -> int:
    """Return the exit code that is told of a task, 0 where it has succeeded."""
    task = caller.task(job)
    if task.status.state == TaskState.SUCCEEDED:
        return 0
    return int(task.status.status_events[-1].task_execution.exit_code)


def test_runs_one_after_the_other_until_one_fails(caller: Caller) -> None:
    runnables = (
        script("echo 0"),
        script("exit 7"),
        script("echo 2"),
        script("echo 3", always_run=True),
    )
    job = run(caller, *runnables)
    assert code_of(caller, job) == 7
    assert [caller.emulator.printed(job, 0, runnable=number) for number in (0, 2, 3)] == [
        "0\n",
        "",
        "3\n",
    ]


def test_ignores_an_exit_status_where_told_so(caller: Caller) -> None:
    assert code_of(caller, run(caller, script("exit 7", ignore_exit_status=True))) == 0


def test_what_runs_in_the_background_ends_with_the_task(caller: Caller) -> None:
    behind = script("echo began; sleep 60", background=True)
    assert code_of(caller, run(caller, behind, script("sleep 0.1"))) == 0


def test_a_script_may_name_its_interpreter_or_lie_in_the_bucket(
    caller: Caller, store: Path
) -> None:
    (store / "b/plain.sh").write_text("echo plain; exit 3")
    volumes = [{"gcs": {"remote_path": "b"}, "mount_path": "/mnt/disks/b"}]
    named = script("#!/bin/bash\necho ${BASH_VERSION:+bash}")
    job = run(caller, named, {"script": {"path": "/mnt/disks/b/plain.sh"}}, volumes=volumes)
    assert caller.emulator.printed(job, 0) == "bash\n"
    assert caller.emulator.printed(job, 0, runnable=1) == "plain\n"
    assert code_of(caller, job) == 3


def test_a_runnable_has_variables_of_its_own(caller: Caller) -> None:
    own = {"variables": {"A": "it's own"}}
    job = run(caller, script('echo "$A"', environment=own), script('echo "${A-none}"'))
    assert caller.emulator.printed(job, 0) == "it's own\n"
    assert caller.emulator.printed(job, 0, runnable=1) == "none\n"


def test_each_task_may_have_variables_of_its_own(caller: Caller) -> None:
    group = group_of('echo "$A"', tasks=2)
    group["task_environments"] = [{"variables": {"A": "x"}}, {"variables": {"A": "y"}}]
    job = caller.create(group)
    caller.emulator.wait(job)
    assert [caller.emulator.printed(job, index) for index in (0, 1)] == ["x\n", "y\n"]


def test_the_limit_of_a_runnable(caller: Caller) -> None:
    job = run(caller, script("sleep 60", timeout={"seconds": 1}), script("echo", always_run=True))
    assert code_of(caller, job) == 50005
    assert caller.emulator.printed(job, 0, runnable=1) == "\n"


def test_the_limit_of_a_task_ends_all_of_it(caller: Caller) -> None:
    always = script("echo", always_run=True)
    job = run(caller, script("setsid sleep 60"), always, max_run_duration={"seconds": 1})
    assert code_of(caller, job) == 50005
    assert caller.emulator.printed(job, 0, runnable=1) == ""
    assert (
        "due to task runs over the maximum runtime with exit code 50005." in caller.words(job)[-1]
    )


@pytest.mark.parametrize("codes,starts", [([7], 2), ([8], 1), (None, 2)])
def test_retries_as_its_policy_says(caller: Caller, codes: list[int] | None, starts: int) -> None:
    policy = {"action": RETRY, "action_condition": {"exit_codes": codes}}
    spec = {"max_retry_count": 1} | ({"lifecycle_policies": [policy]} if codes else {})
    job = run(caller, script('[ "$BATCH_TASK_RETRY_ATTEMPT" = 1 ] || exit 7'), **spec)
    assert [start["attempt"] for start in caller.emulator.starts()] == list(range(starts))
    assert code_of(caller, job) == (0 if starts == 2 else 7)
    codes_told = [event.task_execution.exit_code for event in caller.task(job).status.status_events]
    assert codes_told.count(7) == 1
