"""What a user may say of a Batch job by keyword, and how it meets what the scheduler says."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import batch_v1

from sched_core import OptionError
from sched_gbatch.fields import JOB_FIELDS, merge, take_fields

OWN = frozenset(["forks", "machine_type", "location"])


def taken(**options: Any) -> dict[str, Any]:
    return take_fields(options, OWN)


def test_every_field_of_the_library_that_can_be_set_is_known() -> None:
    fields = {field.json_name for field in batch_v1.Job.pb(batch_v1.Job()).DESCRIPTOR.fields}
    assert fields - {"name", "uid", "status", "createTime", "updateTime"} == JOB_FIELDS


def test_both_spellings_are_taken() -> None:
    assert taken(allocation_policy={"instances": [{"install_gpu_drivers": True}]}) == {
        "allocationPolicy": {"instances": [{"installGpuDrivers": True}]}
    }
    assert taken(taskGroups=[{"taskSpec": {"maxRetryCount": 2}}]) == {
        "taskGroups": [{"taskSpec": {"maxRetryCount": 2}}]
    }


def test_names_of_labels_and_variables_are_the_users_own() -> None:
    assert taken(labels={"my_label": "a_b"}) == {"labels": {"my_label": "a_b"}}
    variables = {"task_spec": {"environment": {"variables": {"MY_NAME": "x", "my_name": "y"}}}}
    found = taken(task_groups=[variables])
    assert found["taskGroups"][0]["taskSpec"]["environment"]["variables"] == {
        "MY_NAME": "x",
        "my_name": "y",
    }


@pytest.mark.parametrize(
    "options, words",
    [
        ({"label": {}}, "no option label; did you mean labels?"),
        ({"machine_typ": "x"}, "did you mean machine_type?"),
        ({"zzz": 1}, "the fields of a Batch job are allocationPolicy, labels"),
        ({"uid": "x"}, "sets uid itself"),
        ({"create_time": "x"}, "sets createTime itself"),
        ({"taskGroups": [], "task_groups": []}, "given twice"),
        ({"labels": {"a": {1, 2}}}, "must be what JSON can say"),
        ({"taskGroups": {}}, "a list of exactly one group"),
        ({"taskGroups": [{}, {}]}, "a list of exactly one group"),
        ({"taskGroups": ["x"]}, "a list of exactly one group"),
        ({"taskGroups": [{"taskSpec": ["x"]}]}, "taskSpec is no mapping"),
        ({"taskGroups": [{"taskCount": 3}]}, "sets taskCount itself; it is the number of jobs"),
        ({"taskGroups": [{"task_count": 3}]}, "sets taskCount itself"),
        ({"taskGroups": [{"parallelism": 3}]}, "use forks"),
        ({"taskGroups": [{"taskEnvironments": []}]}, "its own envs"),
        ({"taskGroups": [{"taskSpec": {"runnables": []}}]}, "use the option runnables"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words.replace("?", r"\?")):
        take_fields(options, OWN)


OURS = {
    "labels": {"sched-run": "r"},
    "taskGroups": [{"taskCount": "3", "taskSpec": {"volumes": [{"mountPath": "/a"}]}}],
    "allocationPolicy": {"instances": [{"policy": {"machineType": "a"}}]},
}


def test_nothing_of_the_users_changes_nothing() -> None:
    assert merge(OURS, {}) == OURS


def test_the_users_word_wins_where_both_speak() -> None:
    theirs = {
        "labels": {"mine": "x"},
        "allocationPolicy": {"instances": [{"policy": {"machineType": "b", "bootDisk": {}}}]},
        "priority": 3,
    }
    assert merge(OURS, theirs) == {
        "labels": {"sched-run": "r", "mine": "x"},
        "taskGroups": OURS["taskGroups"],
        "allocationPolicy": {"instances": [{"policy": {"machineType": "b", "bootDisk": {}}}]},
        "priority": 3,
    }


def test_volumes_are_added_and_other_lists_take_the_place_of_ours() -> None:
    theirs: dict[str, Any] = {
        "taskGroups": [{"taskSpec": {"volumes": [{"mountPath": "/b"}], "lifecyclePolicies": [1]}}]
    }
    found = merge(OURS, theirs)["taskGroups"][0]
    assert found["taskCount"] == "3"
    assert found["taskSpec"]["volumes"] == [{"mountPath": "/a"}, {"mountPath": "/b"}]
    assert merge({"x": [1]}, {"x": [2]}) == {"x": [2]}


def test_a_null_of_the_users_leaves_a_field_out_of_the_answer() -> None:
    assert merge({"logsPolicy": {"a": 1}}, {"logsPolicy": None}) == {"logsPolicy": None}
