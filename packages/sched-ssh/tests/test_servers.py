from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sched_core import OptionError
from sched_ssh import SshScheduler
from sched_ssh.servers import Server, parse_servers


def test_names_alone() -> None:
    expected = {"node1": Server("node1", "node1"), "node2": Server("node2", "node2")}
    assert parse_servers(["node1", "node2"]) == expected
    assert parse_servers("node1, node2") == expected
    assert parse_servers({"node1": None, "node2": {}}) == expected


def test_options_of_a_server() -> None:
    options = {"host": "10.0.0.1", "user": "u", "port": 2222, "keyfile": Path("/k"), "slots": 3}
    (server,) = parse_servers({"n": {**options, "env": {"A": 1}, "workdir": "~/runs"}}).values()
    expected = Server("n", "10.0.0.1", "u", 2222, "/k", 3, {"A": "1"}, "~/runs")
    assert server == expected
    again = replace(expected, env={}, withheld=("A",))
    assert parse_servers({"n": server.to_json()}) == {"n": again}
    assert again.to_json() == server.to_json()


@pytest.mark.parametrize(
    "servers, complaint",
    [
        ([], "no servers"),
        (7, "a list of hosts"),
        (["a b"], "no name of a host"),
        ({"a": 7}, "the server a: give a mapping"),
        ({"a": {"slot": 2}}, "did you mean slots"),
        ({"a": {"slots": 0}}, "slots of the server a"),
        ({"a": {"port": "22"}}, "port of the server a"),
        ({"a": {"workdir": "runs"}}, "absolute path"),
        ({"a": {"env": {"1X": "y"}}}, "env of the server a"),
        ({"a": {"env": {"X": "a\nb"}}}, "more than one line"),
    ],
)
def test_what_is_refused(servers: Any, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        parse_servers(servers)


def test_a_scheduler_is_made_again_of_its_options(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "servers": {"a": {"slots": 2, "env": {"SECRET": "hidden"}}, "b": {}},
        "host_lost_after": "10m",
        "keepalive": 5,
    }
    first = SshScheduler(tmp_path / "run", **given)
    recorded = json.loads(json.dumps(first.options()))
    assert recorded["servers"]["a"]["env"] == ["SECRET"]
    assert "hidden" not in json.dumps(recorded)
    again = SshScheduler(tmp_path / "run", **recorded)
    assert again.options() == first.options()
    assert again.host_lost_after == 600


def test_an_unknown_option_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="did you mean servers"):
        SshScheduler(tmp_path / "run", server=["a"])
