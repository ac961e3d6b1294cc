from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core import CommandError, OptionError, Secret
from sched_core.model.command import (
    check_command,
    check_environment,
    check_name,
    check_paths,
)

BYTES = st.binary(max_size=30).filter(lambda data: b"\0" not in data)
TEXT = BYTES.map(os.fsdecode)


@given(st.lists(TEXT, min_size=1))
def test_t13_arguments_are_kept_as_they_are(argv: list[str]) -> None:
    assert check_command(argv) == argv
    assert check_command(tuple(argv)) == argv
    assert check_command(iter(argv)) == argv


@given(st.lists(BYTES, min_size=1))
def test_t13_bytes_keep_their_bytes(argv: list[bytes]) -> None:
    assert [os.fsencode(part) for part in check_command(argv)] == argv


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_a_string_is_split_as_a_shell_would(argv: list[str]) -> None:
    line = shlex.join(argv)
    assert check_command(line) == argv


def test_paths_and_numbers_are_written_out() -> None:
    assert check_command(["cat", Path("/a b"), 3, 0.5]) == ["cat", "/a b", "3", "0.5"]


@pytest.mark.parametrize(
    "cmd, message",
    [
        ([], "empty"),
        ("", "empty"),
        ("  ", "empty"),
        ("echo 'open", "cannot be split"),
        (["a\0b"], "NUL"),
        (["a\ud800b"], "half of a character"),
        ([b"a\0b"], "NUL"),
        (["cat", None], "None"),
        (b"cat file", "a text or a list of arguments, not bytes"),
        ({"cmd": ["cat"]}, "not dict"),
        ({"cat", "file"}, "not set"),
        (Path("cat"), "not PosixPath"),
        (Secret("cat"), "not Secret"),
    ],
)
def test_what_no_process_can_be_given_is_refused(cmd: Any, message: str) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        check_command(cmd)
    assert isinstance(raised.value, ValueError)


@given(st.dictionaries(st.from_regex(r"V_[A-Za-z0-9_]{0,8}", fullmatch=True), TEXT))
def test_t14_values_are_kept_as_they_are(envs: dict[str, str]) -> None:
    assert check_environment(envs) == envs


def test_values_pass_through_str() -> None:
    envs = {"N": 3, "P": Path("/a b"), "B": b"\xff", "T": True}
    assert check_environment(envs) == {"N": "3", "P": "/a b", "B": "\udcff", "T": "True"}
    assert check_environment(None) == {}


@pytest.mark.parametrize("name", ["", "1A", "A B", "A-B", "A=B", "É", "A;touch x", "A\n"])
def test_t14_names_that_are_no_variables_are_refused(name: str) -> None:
    with pytest.raises(CommandError, match="no name of an environment variable"):
        check_environment({name: "x"})


@pytest.mark.parametrize("name", ["UID", "RANDOM", "SECONDS", "SHLVL", "_", "BASH_ENV", "_sched_x"])
def test_t14_names_that_the_shell_keeps_are_refused(name: str) -> None:
    with pytest.raises(CommandError, match="kept by the shell"):
        check_environment({name: "x"})


def test_a_value_with_nul_is_refused() -> None:
    with pytest.raises(CommandError, match="value of A holds a NUL"):
        check_environment({"A": "x\0y"})


@pytest.mark.parametrize("name", ["", "two\nlines", "bell\a"])
def test_names_of_jobs_fit_on_a_line(name: str) -> None:
    with pytest.raises(CommandError):
        check_name(name)


def test_a_job_needs_no_name() -> None:
    assert check_name(None) is None
    assert check_name("größe 1/2") == "größe 1/2"


def test_paths() -> None:
    assert check_paths("inputs", ["a b", Path("c/d")]) == ("a b", "c/d")
    assert check_paths("inputs", (name for name in "ab")) == ("a", "b")


@pytest.mark.parametrize("paths", ["data.txt", Path("data.txt"), b"x", [""], ["a\0b"], [b"x"]])
def test_what_is_no_list_of_paths(paths: Any) -> None:
    with pytest.raises(OptionError, match="outputs"):
        check_paths("outputs", paths)
