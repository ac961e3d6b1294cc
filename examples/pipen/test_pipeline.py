"""pipen's pipelines, each in a program of its own as pipen's users run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

START = """
import sys
import sched_pipen
from pipen import Pipen, Proc, plugin
sched_pipen.use()
"""
END = """
sys.exit(not Pipen("p", outdir="results", plugins=PLUGINS, **OPTIONS).set_starts(First).run())
"""


def run(folder: Path, *argv: str, code: int = 0) -> str:
    """Run a program and return all that it wrote."""
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env={"PYTHONPATH": str(HERE), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def pipeline(folder: Path, text: str, code: int = 0, **options: object) -> str:
    """Run a pipeline whose first process is called First."""
    program = f"{START}\nPLUGINS = []\nOPTIONS = {options!r}\n{text}\n{END}"
    (folder / "p.py").write_text(program)
    return run(folder, "p.py", code=code)


def attempts(folder: Path, proc: str, index: int) -> int:
    """How often a job was started, by the records of its starts."""
    jobs = folder / ".pipen/p" / proc / str(index)
    return len(list(jobs.glob("job.claim.*"))) + len(list(jobs.glob("job.retry/*/job.claim.*")))


def test_processes_run_one_after_the_other_and_failed_jobs_again(tmp_path: Path) -> None:
    run(tmp_path, str(HERE / "pipeline.py"))
    assert (tmp_path / "results/Sum/sum.txt").read_text() == "273\n"
    squares = tmp_path / ".pipen/pipeline/Squares"
    assert sorted(path.name for path in squares.glob("?/job.retry/?")) == ["1", "1", "1"]
    assert (squares / "0/job.retry/1/job.stderr").read_text() == "not yet\n"


def test_what_is_up_to_date_is_not_run_again(tmp_path: Path) -> None:
    text = """
class First(Proc):
    input = "n:var"
    input_data = [1, 2]
    output = "out:file:{{in.n}}.txt"
    script = "echo {{in.n}} >> ../../../../starts; echo {{in.n}} > {{out.out}}"
"""
    text = text.replace("../../../../starts", str(tmp_path / "starts"))
    pipeline(tmp_path, text)
    assert "Cached jobs: 0-1" in pipeline(tmp_path, text)
    assert "Cached jobs: 0" in pipeline(tmp_path, text.replace("[1, 2]", "[1, 3]"))
    assert sorted((tmp_path / "starts").read_text().split()) == ["1", "2", "3"]


def test_a_failed_job_ends_the_pipeline(tmp_path: Path) -> None:
    text = """
class First(Proc):
    input = "n:var"
    input_data = [0, 1]
    script = "exit {{in.n}}"

class Second(Proc):
    requires = First
    script = "echo never"
"""
    pipeline(tmp_path, text, code=1)
    assert not (tmp_path / ".pipen/p/Second").exists()
    assert attempts(tmp_path, "First", 1) == 1


def test_halt_kills_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    text = """
class First(Proc):
    input = "n:var"
    input_data = range(6)
    script = '''
        if (( {{in.n}} == 0 )); then
            until [[ -e {{job.metadir | str}}/../1/job.stdout ]]; do sleep 0.05; done
            exit 3
        fi
        exec sleep 600
    '''
"""
    pipeline(tmp_path, text, code=1, error_strategy="halt", forks=2)
    assert [attempts(tmp_path, "First", index) for index in range(6)] == [1, 1, 0, 0, 0, 0]


def test_a_job_without_its_output_has_failed(tmp_path: Path) -> None:
    text = """
class First(Proc):
    input = "n:var"
    input_data = [0]
    output = ["made:file:made.txt", "missed:file:missed.txt"]
    script = "echo > {{out.made}}; (( SCHED_ATTEMPT < 3 )) || echo > {{out.missed}}"
"""
    pipeline(tmp_path, text, code=1)
    stderr = (tmp_path / ".pipen/p/First/0/job.stderr").read_text()
    assert stderr.strip() == "Output file 'missed' is not generated."
    pipeline(tmp_path, text, error_strategy="retry", num_retries=5)
    assert (tmp_path / "results/First/missed.txt").exists()


def test_plugins_are_told_of_each_job_and_add_to_scripts(tmp_path: Path) -> None:
    text = """
class Told:
    name = "told"

    @plugin.impl
    async def on_job_started(job):
        print(f"told started {job.index} {job.trial_count}")

    @plugin.impl
    async def on_job_failed(job):
        print(f"told failed {job.index} {job.trial_count}")

    @plugin.impl
    async def on_job_succeeded(job):
        print(f"told succeeded {job.index} {await job.get_rc()} {job._jid is not None}")

    @plugin.impl
    def on_jobcmd_init(job):
        return f"export FROM_PLUGIN={job.proc.name}"

PLUGINS = [Told]

class First(Proc):
    input = "n:var"
    input_data = [0]
    error_strategy = "retry"
    script = '''
        echo "$FROM_PLUGIN $PIPEN_JOB_INDEX $XQUTE_JOB_INDEX"
        (( SCHED_ATTEMPT > 1 ))
    '''
"""
    said = pipeline(tmp_path, text)
    told = [line.partition("told ")[2] for line in said.splitlines() if line.startswith("told ")]
    assert told == ["started 0 0", "failed 0 0", "started 0 1", "succeeded 0 0 True"]
    assert (tmp_path / ".pipen/p/First/0/job.stdout").read_text() == "First 0 0\n"


def test_what_sched_refuses_is_said(tmp_path: Path) -> None:
    text = """
class First(Proc):
    input = "n:var"
    input_data = [0]
    script = "true"
"""
    said = pipeline(tmp_path, text, code=1, scheduler_opts={"fork_s": 3})
    assert "has no option fork_s; did you mean forks?" in said
