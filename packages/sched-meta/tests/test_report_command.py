"""`sched report`: where it writes to, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sched_core.ports import SystemPorts
from sched_meta.cli import main
from sched_meta.htmlreport import read_report, render_report
from sched_meta.htmlreport.reproduce import commands
from sched_meta.reading.runfolder import RunFolder

from .bucket import Bucket, run_folder
from .program import PROGRAM, Sched, in_terminal
from .test_bucket import RUN, write_jobs

PAGES = Path(__file__).parent.parent / "src" / "sched_meta" / "htmlreport" / "page"


def run(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "sh", "-c", 'echo "no $0" >&2; exit $0', ":::", "0", "3", code=1)


def test_on_a_terminal_it_goes_into_the_runs_folder(sched: Sched) -> None:
    run(sched)
    code, shown = in_terminal(sched.folder, "report", "r")
    assert (code, shown) == (0, "sched: report: r/report.html\r\n")
    page = (sched.folder / "r" / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert "no 3" in page


@pytest.mark.parametrize("options", [(), ("-o", "-")])
def test_piped_it_is_written_out(sched: Sched, options: tuple[str, ...]) -> None:
    run(sched)
    done = sched("report", "r", *options)
    assert done.stdout.startswith("<!doctype html>")
    assert done.stderr == ""
    assert not (sched.folder / "r" / "report.html").exists()


def test_another_file(sched: Sched) -> None:
    run(sched)
    file = sched.folder / "a b.html"
    assert sched("report", "r", "-o", "a b.html").stderr == "sched: report: 'a b.html'\n"
    assert file.read_text().startswith("<!doctype html>")
    assert sched("report", "r", "-o", str(file)).stderr == f"sched: report: '{file}'\n"


@pytest.mark.parametrize(
    "typed",
    [
        ["--", "echo", "a  b", ":::", "it's", "$HOME", "-n", "\t"],
        ["--", "printf", "%s\\n", "one"],
        ["--", "echo", ":::", "a", "b", ":::", "x\ny", "{}"],
        ["--shell", "--", "echo {} | tr a-z A-Z", ":::", "it's", '"', "b"],
    ],
)
def test_what_it_says_to_type_runs_the_same_again(sched: Sched, typed: list[str]) -> None:
    sched("run", "-w", "r", "-j", "2", "--retries", "1", "--time", "90m", *typed)
    report = read_report(RunFolder(sched.folder / "r"))
    script = "\n".join(["set -e -o pipefail", *commands(report)])
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, cwd="/", check=True, timeout=60
    )
    (again,) = (sched.folder / "sched-runs").iterdir()
    view = RunFolder(again).read()
    assert len(view.jobs) == len(report.jobs)
    for index in view.jobs:
        printed = (sched.folder / "r" / str(index) / "job.stdout").read_bytes()
        assert (again / str(index) / "job.stdout").read_bytes() == printed
    for name in ("forks", "num_retries", "timeout", "resources"):
        assert view.run.options[name] == report.run.options[name]


def test_of_a_run_that_goes_on(sched: Sched) -> None:
    sched.start_waiting_jobs()
    page = sched("report", "r", "-o", "-").stdout
    assert "The run has not ended" in page


def test_a_report_is_no_job_and_changes_nothing(sched: Sched) -> None:
    run(sched)
    before = sched.status()
    sched("report", "r", "-o", "r/report.html")
    assert sched.status() == before
    sched("retry", "r", code=1)


@pytest.mark.parametrize(
    "args, message",
    [
        (("none",), "none is no folder of a run"),
        ((), "there is no run under ./sched-runs; name the folder of one"),
        (("r", "-o", "no/x.html"), "-o no/x.html: there is no folder no; make it, or name another"),
        (("r", "-o", "r"), "-o r: that is a folder; add the name of a file"),
        (("r", "-o", "r/"), "-o r/: that is a folder; add the name of a file"),
        (("r", "-o", "gs://bucket/x/"), "-o gs://bucket/x/: that is a folder; add the name"),
        (("r", "-o", ""), "-o '': name a file, or - for standard output"),
        (("r", "-o", "r/0/job.rc/x"), "-o r/0/job.rc/x: there is no folder r/0/job.rc; make it"),
        (("r", "--output"), "Option '--output' requires an argument."),
    ],
)
def test_wrong_usage(sched: Sched, args: tuple[str, ...], message: str) -> None:
    run(sched)
    before = sorted(sched.folder.rglob("*"))
    done = sched("report", *args, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"sched: error: {message}")
    assert sorted(sched.folder.rglob("*")) == before


def test_in_a_bucket(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = Bucket()
    monkeypatch.setattr("sched_core.ports.system_ports", lambda path, **_: SystemPorts(bucket))
    write_jobs(bucket)
    assert main(["report", RUN, "-o", "gs://bucket/page.html"]) == 0
    assert capsys.readouterr().err == "sched: report: gs://bucket/page.html\n"
    page = bucket.objects["gs://bucket/page.html"].decode()
    assert "oops" in page
    assert "<h1>r</h1>" in page


def test_of_many_jobs_no_file_is_read_that_is_not_needed() -> None:
    bucket = Bucket()
    write_jobs(bucket)
    render_report(read_report(run_folder(bucket)))
    assert bucket.questions.count("read") < 10


def test_the_page_is_plain_text_of_its_own() -> None:
    """The hashes of its policy hold for bytes: what is not ASCII would be written otherwise."""
    for file in PAGES.iterdir():
        text = file.read_text()
        assert text.isascii(), file
        assert "http:" not in text
        assert "https:" not in text


def test_nothing_heavy_is_loaded_for_its_help() -> None:
    code = "import sys; from sched_meta.cli import main; main(['report', '--help']); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    modules = set(loaded.rpartition("\n\n")[2].split())
    assert not modules & {"jinja2", "anyio", "rich", "sched_meta.htmlreport"}
