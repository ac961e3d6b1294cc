"""What is shown before a run begins: which hosts, and the script that each job is; no host is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sched_core import OptionError
from sched_ssh import SshScheduler


def parts_of(workdir: Path, servers: Any) -> dict[str, str]:
    scheduler = SshScheduler(workdir, forks=4, servers=servers)
    jobs = [scheduler.new_job(index, ["true"]) for index in range(3)]
    return dict(scheduler.preview(jobs, plugins=[]).parts)


def test_hosts_and_script_are_shown_without_what_is_told_to_hosts_alone(tmp_path: Path) -> None:
    servers: dict[str, Any] = {
        "node1": {"user": "u", "host": "10.0.0.1", "port": 2222, "slots": 2, "keyfile": "/k"},
        "node2": {"env": {"TOKEN": "hush-hush"}, "workdir": "~/runs"},
        "node3": {},
    }
    shown = parts_of(tmp_path / "run", servers)
    assert shown["hosts"].splitlines() == [
        "node1: u@10.0.0.1:2222, 2 at a time, keyfile /k",
        "node2: workdir ~/runs, 1 variable, told to the host alone",
        "node3",
    ]
    assert "_sched_cmd=(true)" in shown["script of job 0"]
    assert "hush-hush" not in "".join(shown.values())
    assert list(tmp_path.iterdir()) == []


def test_variables_whose_values_are_missing_are_refused(tmp_path: Path) -> None:
    first = SshScheduler(tmp_path / "run", servers={"a": {"env": {"SECRET": "hidden"}}})
    recorded = json.loads(json.dumps(first.options()))
    with pytest.raises(OptionError, match="the server a has variables whose values"):
        parts_of(tmp_path / "run", recorded["servers"])
