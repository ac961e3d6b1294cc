from __future__ import annotations

import contextlib
import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.errors import CommandError
from sched_core.model.resources import Resources
from sched_meta.lists.listfile import parse_list


def test_shell_lines() -> None:
    jobs = parse_list(b"#!/bin/sh\n\necho a | cat\r\n  # no\n \t\n  { echo b; }\n")
    outputs = [subprocess.check_output(job.cmd) for job in jobs]
    assert outputs == [b"a\n", b"b\n"]


def test_shell_lines_fail_when_a_part_of_a_pipe_does() -> None:
    (job,) = parse_list(b"false | cat")
    assert subprocess.run(job.cmd, check=False).returncode == 1


def test_json_lines() -> None:
    rows = [
        {"cmd": ["echo", "a b"], "name": "one", "envs": {"A": "x", "N": 1}, "timeout": "90m"},
        {"cmd": "echo 'a b'", "resources": {"cpus": 2, "memory": "4 GiB"}, "timeout": None},
        {"cmd": "sort a", "inputs": ["a", "b c"], "outputs": ["d"]},
        {"cmd": "sort a", "container": {"image": "debian:12", "engine": "podman"}},
        {"cmd": "sort a", "container": "debian:12"},
    ]
    one, two, three, *contained = parse_list("\n# note\n".join(map(json.dumps, rows)).encode())
    assert (
        one.cmd,
        one.name,
        one.envs,
        one.timeout,
    ) == (["echo", "a b"], "one", {"A": "x", "N": "1"}, 5400)
    assert (["echo", "a b"], None, Resources(cpus=2, memory="4 GiB")) == (
        two.cmd,
        two.name,
        two.resources,
    )
    assert (three.inputs, three.outputs) == (("a", "b c"), ("d",))
    assert (one.inputs, one.outputs, one.container) == ((), (), None)
    assert [job.container for job in contained] == [
        {"image": "debian:12", "engine": "podman"},
        "debian:12",
    ]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "L is empty"),
        (b"\n# only this\n\n", "L is empty"),
        (b"echo\nec\0ho", "L is no text: line 2 holds the byte 0x00"),
        (b"\x1f\x8b\x08\x03\xff\xfe", "L is no text: line 1 holds the byte 0x1f"),
        (b'{"cmd": ["a"]}\n{"cmd": ["a"', "L, line 2: no JSON: Expecting ',' delimiter at column"),
        (b'{"cmd": ["a"]}\n\n[1]', "L, line 3: the list starts with JSON objects, and here are"),
        (b'echo\n{"cmd": ["a"]}', "L, line 2: the list starts with shell lines, and here are"),
        (b"{}", 'L, line 1: the key "cmd" is missing'),
        (b'{"cmd": []}', "L, line 1: the command is empty"),
        (b'{"cmd": [1]}', "L, line 1: 'cmd' must be a list of texts"),
        (b'{"cmd": ["a\\u0000"]}', "L, line 1: the argument 'a\\x00' holds a NUL byte"),
        (b'{"cmd": ["\\ud800"]}', "L, line 1: the argument '\\ud800' holds half of a character"),
        (b'{"cmd": ["a"], "env": {}}', "L, line 1: unknown key 'env'; did you mean 'envs'?"),
        (b'{"cmd": ["a"], "zzz": {}}', "L, line 1: unknown key 'zzz'; there are cmd, name"),
        (b'{"cmd": ["a"], "name": 1}', "L, line 1: 'name' must be a text, not 1"),
        (b'{"cmd": ["a"], "name": ""}', "L, line 1: '' cannot be a job's name"),
        (b'{"cmd": ["a"], "envs": []}', "L, line 1: 'envs' must be an object, not []"),
        (b'{"cmd": ["a"], "envs": {"A": null}}', "the value of A in 'envs' must be a text"),
        (b'{"cmd": ["a"], "envs": {"A B": "1"}}', "L, line 1: 'A B' is no name of an environment"),
        (b'{"cmd": ["a"], "envs": {"UID": "1"}}', "L, line 1: the variable UID is kept by"),
        (b'{"cmd": ["a"], "inputs": "b"}', "L, line 1: 'inputs' must be a list of paths"),
        (
            b'{"cmd": ["a"], "outputs": [1]}',
            "L, line 1: 'outputs' must be a list of paths, not [1]",
        ),
        (b'{"cmd": ["a"], "container": {"imag": "b"}}', "line 1: container: it has no 'imag'; did"),
        (b'{"cmd": ["a"], "container": 1}', "L, line 1: container 1: give an image, or a mapping"),
        (b'{"cmd": ["a"], "timeout": -1}', "L, line 1: timeout -1 must be a number above 0"),
        (b'{"cmd": ["a"], "timeout": NaN}', "L, line 1: NaN is no number of JSON"),
        (
            b'{"cmd": ["a"], "resources": {"memory": "4 GX"}}',
            "line 1: memory '4 GX': 'GX' is no unit",
        ),
        (b'{"cmd": ["a"], "resources": {"cpu": 1}}', "line 1: 'cpu' is no resource; did you mean"),
    ],
)
def test_rows_that_are_no_jobs(content: bytes, message: str) -> None:
    with pytest.raises(CommandError) as raised:
        parse_list(content, "L")
    assert message in str(raised.value)


def test_bytes_that_are_no_utf8_reach_the_command() -> None:
    (job,) = parse_list(b"printf %s '\xff'")
    assert subprocess.check_output(job.cmd) == b"\xff"


@settings(deadline=None)
@given(st.binary())
def test_any_content_is_a_list_or_a_clear_error(content: bytes) -> None:
    with contextlib.suppress(CommandError):
        assert parse_list(content)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_json_commands_arrive_as_they_are(cmd: list[str]) -> None:
    assert cmd == parse_list(json.dumps({"cmd": cmd}).encode())[0].cmd
