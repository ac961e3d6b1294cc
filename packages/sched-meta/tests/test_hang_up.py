"""A terminal that goes away while jobs run where they need it not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus, read_run
from sched_meta.driving.signals import signals_go_to

from .program import WAIT_FOR_GO, Sched, in_terminal, wait_until

PLUGIN = """
from sched_local import LocalScheduler

class AwayScheduler(LocalScheduler):
    name = "away"
    runs_unattended = True
"""
JOBS = ("-s", "away", "-w", "r", "-j", "2", "--", "sh", "-c", WAIT_FOR_GO, ":::", "0", "1", "2")


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler whose jobs are to go on."""
    place = tmp_path / "plugins"
    info = place / "away-1.dist-info"
    info.mkdir(parents=True)
    (place / "away_scheduler.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: away\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[sched.schedulers]\naway = away_scheduler:AwayScheduler\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.fspath(place))


def both_run(sched: Sched) -> bool:
    """Whether two jobs run, and their driver knows it."""
    if len(sched.lines("started")) != 2:
        return False
    jobs = read_run(sched.folder / "r").jobs.values()
    return sum(job.status is JobStatus.RUNNING for job in jobs) == 2


def test_jobs_go_on_and_the_run_is_gone_on_with(sched: Sched) -> None:
    driver = sched.start("run", *JOBS)
    wait_until(lambda: both_run(sched))
    driver.send(signal.SIGHUP)
    driver.send(signal.SIGHUP)  # as the terminal does, and then its shell
    code, err = driver.finish()
    assert code == 129
    assert "sched: SIGHUP: nothing more is started, what runs goes on\n" in err
    words = "SIGHUP: the driver has left the run, 2 jobs of it wait or run without it"
    assert f"sched: {words}; to go on: sched attach r\n" in err
    assert len(sched.living_jobs()) >= 2
    assert sched.counts() == {"running": 2, "waiting": 1}
    assert "; 2 jobs wait or run without it (sched attach r)\n" in sched("status", "r").stdout
    assert words in (sched.folder / "r/.sched/driver.log").read_text()
    sched.go()
    sched("attach", "r")
    assert sched.lines("started") == ["0", "1", "2"]
    assert sched.counts() == {"finished": 3}


def test_repeated_hang_ups_are_nothing_and_others_stay_as_they_are() -> None:
    heard: list[int] = []

    async def hang_up() -> None:
        event = anyio.Event()

        def hear(signum: int) -> None:
            heard.append(signum)
            event.set()

        with signals_go_to(hear):
            os.kill(os.getpid(), signal.SIGHUP)
            await event.wait()

    earlier = signal.getsignal(signal.SIGHUP)
    try:
        anyio.run(hang_up)
        os.kill(os.getpid(), signal.SIGHUP)
        assert heard == [signal.SIGHUP]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_a_closed_terminal_is_a_hang_up(sched: Sched) -> None:
    def close_window(terminal: int) -> None:
        wait_until(lambda: both_run(sched))
        os.close(terminal)

    code, _ = in_terminal(sched.folder, "run", *JOBS, keys=close_window)
    assert code == 129
    assert sched.counts() == {"running": 2, "waiting": 1}
    sched.go()
    sched("attach", "r")
    assert sched.lines("ended") == ["0", "1", "2"]


def test_whoever_looks_on_goes_on_with_it(sched: Sched) -> None:
    driver = sched.start("run", *JOBS)
    wait_until(lambda: both_run(sched))
    onlooker = sched.start("attach", "r")
    assert onlooker.process.stderr
    assert "driven by" in onlooker.process.stderr.readline()
    driver.send(signal.SIGHUP)
    assert driver.finish()[0] == 129
    wait_until(lambda: sched.status()["driver"]["pid"] == onlooker.process.pid)
    sched.go()
    assert onlooker.finish()[0] == 0
    assert sched.lines("started") == ["0", "1", "2"]


def test_ctrl_c_kills_them_all_the_same(sched: Sched) -> None:
    driver = sched.start("run", *JOBS)
    wait_until(lambda: both_run(sched))
    driver.send(signal.SIGINT)
    assert driver.finish()[0] == 130
    assert sched.living_jobs() == []
