"""What a scheduler warns of while the run goes on, such as a quota for which jobs wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from .program import WAIT_FOR_GO, Sched, in_terminal, read_until

PROBE = """
from sched_local import LocalScheduler

class Probe(LocalScheduler):
    name = "probe"

    async def submit_jobs(self, jobs, submission):
        for _ in range(3):
            self.session.warn("the quota CPUS is used up; jobs wait for it")
        return await super().submit_jobs(jobs, submission)
"""
WARNING = "sched: warning: the quota CPUS is used up; jobs wait for it"
PROGRESS = "/2 done, 1 running"


@pytest.fixture(autouse=True)
def _probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a scheduler, as a package would."""
    about = tmp_path / "probe-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[sched.schedulers]\nprobe = probe:Probe\n")
    (tmp_path / "probe.py").write_text(PROBE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_a_warning_is_shown_once_above_the_progress(tmp_path: Path) -> None:
    seen = []

    def look(terminal: int) -> None:
        seen.append(read_until(terminal, WARNING))
        if PROGRESS not in seen[0].partition(WARNING)[2]:
            seen.append(read_until(terminal, PROGRESS))
        (tmp_path / "go").touch()

    jobs = ("sh", "-c", WAIT_FOR_GO, ":::", "0", "1")
    code, shown = in_terminal(
        *(tmp_path, "run", "-s", "probe", "-w", "r", "-j", "1", "--", *jobs), keys=look
    )
    assert code == 0
    assert "".join([*seen, shown]).count(WARNING) == 1


def test_a_warning_without_progress(sched: Sched) -> None:
    done = sched("run", "-s", "probe", "--no-progress", "--cat", "--", "echo", "well")
    assert done.stdout == "well\n"
    assert done.stderr.count(WARNING) == 1
