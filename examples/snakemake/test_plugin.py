"""Real workflows by the real `snakemake`, with the executor plugin beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATIENCE = 100.0


class Workflow:
    """A folder with a Snakefile."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        (folder / "Snakefile").write_text(text)

    def start(self, *options: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "snakemake", "--executor", "sched", "--jobs", "4", *options]
        environment = {**os.environ, "PYTHONPATH": str(HERE), "HOME": str(self.folder)}
        return subprocess.Popen(
            argv,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, code: int = 0) -> str:
        """Run it to its end and return all that it wrote."""
        with self.start(*options) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, said
        return said

    def status(self) -> dict[str, int]:
        """What became of the jobs of the newest run."""
        newest = max((self.folder / ".snakemake/sched").iterdir())
        sched = Path(sys.executable).with_name("sched")
        text = subprocess.check_output([sched, "status", newest, "--json"])
        return {word: number for word, number in json.loads(text)["counts"].items() if number}

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


def wait_until(what: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.02)


@pytest.fixture
def counting(tmp_path: Path) -> Workflow:
    return Workflow(tmp_path, (HERE / "Snakefile").read_text())


def test_a_workflow_runs_and_is_not_run_again(counting: Workflow) -> None:
    counting.run()
    assert counting.text("total.txt") == "6\n"
    assert counting.status() == {"finished": 7}
    assert "Nothing to be done" in counting.run()


def test_what_a_rule_asks_for_is_asked_of_the_scheduler(tmp_path: Path) -> None:
    workflow = Workflow(
        tmp_path,
        """
rule all:
    output: "limits.txt"
    threads: 1
    resources: mem_mb=100, runtime=10
    shell: "cp -r $SCHED_WORKDIR/.sched/journal journal; echo $SCHED_JOB_NAME > {output}"
""",
    )
    workflow.run("--sched-options", "grace=2")
    assert workflow.text("limits.txt") == "all.0\n"
    journal = "".join(path.read_text() for path in (tmp_path / "journal").iterdir())
    job = next(json.loads(line) for line in journal.splitlines() if '"job"' in line)
    assert job["resources"] == {"cpus": 1, "memory": 100 * 10**6, "time": 600}


def test_a_failed_job_is_tried_again_by_snakemake_and_then_told(tmp_path: Path) -> None:
    workflow = Workflow(
        tmp_path,
        """
rule all:
    output: "never.txt"
    shell: "echo >> starts; exit 3"
""",
    )
    said = workflow.run("--retries", "2", code=1)
    assert len(workflow.text("starts").splitlines()) == 3
    assert "FAILED EXIT, rc 1; see " in said
    assert workflow.status() == {"failed": 3}


def test_an_interrupted_workflow_leaves_nothing_running(tmp_path: Path) -> None:
    workflow = Workflow(
        tmp_path,
        """
rule all:
    output: "never.txt"
    shell: "echo $$ > pid; exec sleep 600"
""",
    )
    with workflow.start() as process:
        wait_until(lambda: (tmp_path / "pid").exists() and workflow.text("pid").strip())
        pid = int(workflow.text("pid"))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended may wait for init to take note of it."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    "options, told",
    [
        (["--sched-scheduler", "slrum"], "did you mean 'slurm'"),
        (["--sched-options", "fork_s=3"], "has no option fork_s; did you mean forks?"),
        (["--sched-forks", "0"], "forks"),
    ],
)
def test_what_sched_refuses_is_said(counting: Workflow, options: list[str], told: str) -> None:
    said = counting.run(*options, code=1)
    assert told in said
    assert "Traceback" not in said
