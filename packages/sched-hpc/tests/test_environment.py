from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sched_hpc.sge.environment import environment_file, environment_name
from sched_hpc.sge.prelude import task_text

LOAD = '_sched_environment=$2 _sched_workdir=$3; eval "$1"; _sched_load_environment; exec env -0'


def loaded(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Return what a program gets from a task that has read the file."""
    content = environment_file(environment, frozenset({"TMPDIR"}))
    (folder / ".sched").mkdir()
    (folder / ".sched" / environment_name(content)).write_bytes(content)
    # The functions alone: the rest of the text is about a task of Grid Engine.
    text = task_text()
    text = text[text.index("_sched_load_environment()") : text.index("# --- the guard")]
    argv = ["/bin/bash", "-pc", LOAD, "-", text, environment_name(content), os.fspath(folder)]
    done = subprocess.run(argv, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    pairs = (entry.partition(b"=") for entry in done.stdout.split(b"\0") if entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


@pytest.mark.parametrize(
    "name, value",
    [
        ("PLAIN", "x"),
        ("EMPTY", ""),
        ("ODD", "a b\n'\"$HOME`id`=\\ \udcff"),
        ("IFS", "x"),
        ("POSIXLY_CORRECT", "1"),
        ("FUNCNEST", "1"),
        ("LC_ALL", "C"),
        ("BASH_ENV", "/nonexistent"),
    ],
)
def test_a_variable_arrives_as_it_is(name: str, value: str, tmp_path: Path) -> None:
    found = loaded({name: value, "ZZ": "last"}, tmp_path)
    assert (found[name], found["ZZ"]) == (value, "last")


def test_a_function_arrives(tmp_path: Path) -> None:
    found = loaded({"BASH_FUNC_greet%%": "() {  echo hello $1\n}"}, tmp_path)
    done = subprocess.run(
        ["/bin/bash", "-c", "greet you"], env=found, capture_output=True, check=True
    )
    assert done.stdout == b"hello you\n"


def test_t14_what_belongs_to_a_shell_or_to_the_engine_stays_behind(tmp_path: Path) -> None:
    given = {"UID": "7", "SHELLOPTS": "x", "PWD": "/", "a-b": "1", "TMPDIR": "/mine", "OK": "1"}
    assert not {"UID", "SHELLOPTS", "a-b", "TMPDIR"} & loaded(given, tmp_path).keys()


def test_equal_environments_share_a_file() -> None:
    one = environment_file({"A": "1", "B": "2"}, frozenset())
    other = environment_file({"B": "2", "A": "1"}, frozenset())
    assert environment_name(one) == environment_name(other)
