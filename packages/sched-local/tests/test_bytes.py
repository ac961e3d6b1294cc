"""Commands, values and folders reach the process byte for byte, through the whole runner."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sched_core import Job, run
from sched_local import LocalScheduler

from .running import outcome

anything = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"\n"))
nasty = st.sampled_from(
    [b"", b" ", b"'", b'"', b"$HOME", b"`id`", b"*", b"\\", b"\xff\xfe", b"-e", b"\n", b"~", b"!x"]
)
argument = st.one_of(nasty, anything, st.lists(nasty, max_size=4).map(b"".join))
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).map(lambda name: f"X_{name}")
environment = st.dictionaries(NAMES, argument, max_size=4)
folder_name = (
    argument.map(lambda data: data.replace(b"/", b"%"))
    .filter(lambda data: data.strip(b".") != b"")
    .map(lambda data: data[:60])
)


def records(job: Job, name: str) -> bytes:
    return Path(os.fsdecode(os.fspath(job.metadir)), name).read_bytes()


@given(st.lists(st.lists(argument, max_size=5), min_size=1, max_size=10))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_t13_arguments(commands: list[list[bytes]]) -> None:
    script = b"cat /proc/$$/cmdline; :"
    argvs = [[b"bash", b"-c", script, b"bash", *arguments] for arguments in commands]
    with tempfile.TemporaryDirectory() as folder:
        jobs = run(LocalScheduler(f"{folder}/run", forks=2), argvs, plugins=[])
        for job, argv in zip(jobs, argvs, strict=True):
            assert outcome(job) == ("FINISHED", 0, None)
            assert records(job, "job.stdout") == b"".join(part + b"\0" for part in argv)


@given(st.lists(environment, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_t14_values_of_variables(environments: list[dict[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scheduler = LocalScheduler(f"{folder}/run", forks=2)
        jobs = [
            scheduler.new_job(index, ["cat", "/proc/self/environ"], envs)
            for index, envs in enumerate(environments)
        ]
        run(scheduler, jobs, plugins=[])
        for job, envs in zip(jobs, environments, strict=True):
            assert outcome(job) == ("FINISHED", 0, None)
            entries = records(job, "job.stdout").split(b"\0")
            for name, value in envs.items():
                assert os.fsencode(name) + b"=" + value in entries


@given(folder_name)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_t15_work_directories(name: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workdir = os.fsdecode(os.path.join(os.fsencode(folder), name))
        command = ["bash", "-c", 'cd "$SCHED_WORKDIR" && pwd -P && echo "$SCHED_JOB_METADIR"']
        jobs = run(LocalScheduler(workdir, forks=2), [command] * 2, plugins=[])
        for job in jobs:
            assert outcome(job) == ("FINISHED", 0, None)
            path = os.fsencode(os.path.realpath(workdir))
            metadir = os.fsencode(os.path.join(workdir, str(job.index)))
            assert records(job, "job.stdout") == path + b"\n" + metadir + b"\n"
