"""Hosts that are odd processes: what they closed, ignored, forked or removed harms no job."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import run
from sched_local import LocalScheduler

from .processes import carriers, children
from .running import PATIENCE, outcome, runner, shell

ODD_HOST = """
import json, os, signal, sys
from pathlib import Path
from sched_core import run
from sched_local import LocalScheduler

backend, workdir, report = sys.argv[1:4]
exec(sys.argv[4])
script = "grep -E '^(SigIgn|SigBlk):' /proc/self/status; kill -0 $$ || exit 9"
commands = [["bash", "-c", script]] * 5 + [["bash", "-c", "exit 3"]]
jobs = run(LocalScheduler(workdir, forks=2), commands, plugins=[], backend=backend)
Path(report).write_text(json.dumps([[job.status.name, job.rc] for job in jobs]))
"""

STANDARD = (1 << 31) - 1
"""The signals 1 to 31: the C library has others for itself."""

ODD = {
    "nothing odd": "",
    "standard streams closed": "os.close(0); os.close(1); os.close(2)",
    "only stdin closed": "os.close(0)",
    "only stdout closed": "os.close(1)",
    "children not waited for": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "signals ignored": (
        "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGHUP, "
        "signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM)]"
    ),
    "signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR2])",
    "no folder to be in": "os.mkdir(report + '.d'); os.chdir(report + '.d'); os.rmdir(os.getcwd())",
}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("what", ODD)
def test_an_odd_host_runs_its_jobs_as_any_other(tmp_path: Path, what: str, backend: str) -> None:
    report = tmp_path / "report"
    process = subprocess.run(
        [sys.executable, "-c", ODD_HOST, backend, tmp_path / "run", report, ODD[what]],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(report.read_text()) == [["FINISHED", 0]] * 5 + [["FAILED", 3]]
    for index in range(5):
        said = (tmp_path / f"run/{index}/job.stdout").read_text().split()
        masks = {
            name: int(mask, 16) & STANDARD for name, mask in zip(said[::2], said[1::2], strict=True)
        }
        assert masks == {"SigBlk:": 0, "SigIgn:": 0}


def sleep_until(path: str) -> None:
    while not os.path.exists(path):
        signal.sigtimedwait([], 0.02)


async def test_a_process_that_the_host_forks_holds_nothing_up(tmp_path: Path) -> None:
    end = tmp_path / "end"
    child = multiprocessing.get_context("fork").Process(target=sleep_until, args=(str(end),))
    before = children()
    async with runner(tmp_path / "run", forks=2) as running:
        name = running.scheduler.session.run
        jobs = [await running.feed(["true"]) for _ in range(2)]
        for job in jobs:
            await running.wait(job)
        child.start()
        jobs.append(await running.feed(["true"]))
        with anyio.fail_after(PATIENCE):
            await running.stop_feeding()
    try:
        assert child.is_alive()
        assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 3
        assert carriers(name) == []
        assert [stat for stat in children() if stat not in before and "(bash)" in stat] == []
    finally:
        end.touch()
        child.join()


async def test_two_runs_in_one_process_do_not_meet(tmp_path: Path) -> None:
    outcomes: dict[str, list[Any]] = {}

    async def drive(name: str, rc: int) -> None:
        async with runner(tmp_path / name, forks=2) as running:
            jobs = [await running.feed(shell(f"echo {name}; exit {rc}")) for _ in range(20)]
        outcomes[name] = [outcome(job) for job in jobs]

    async with anyio.create_task_group() as group:
        group.start_soon(drive, "one", 1)
        group.start_soon(drive, "two", 2)
    assert outcomes == {
        "one": [("FAILED", 1, "EXIT")] * 20,
        "two": [("FAILED", 2, "EXIT")] * 20,
    }
    assert (tmp_path / "two/7/job.stdout").read_text() == "two\n"


def test_runs_of_two_threads_do_not_meet(tmp_path: Path) -> None:
    found: dict[str, list[Any]] = {}

    def drive(name: str, backend: Any) -> None:
        scheduler = LocalScheduler(tmp_path / name, forks=2)
        jobs = run(scheduler, [shell(f"echo {name}")] * 20, plugins=[], backend=backend)
        found[name] = [outcome(job) for job in jobs]

    threads = [
        threading.Thread(target=drive, args=pair) for pair in (("a", "asyncio"), ("b", "trio"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == {"a": [("FINISHED", 0, None)] * 20, "b": [("FINISHED", 0, None)] * 20}


async def test_a_relative_work_directory_is_seen_by_jobs_in_other_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    script = 'test -d "$SCHED_WORKDIR" && test -d "$SCHED_JOB_METADIR" && pwd'
    async with runner("some/run", cwd=tmp_path / "elsewhere") as running:
        job = await running.feed(shell(script))
    assert outcome(job) == ("FINISHED", 0, None)
    said = (tmp_path / "some/run/0/job.stdout").read_text()
    assert said == f"{tmp_path}/elsewhere\n"
