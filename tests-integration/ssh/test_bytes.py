"""Commands, variables and names of files, byte for byte, wherever they go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sched_core.testing.contract.outcomes import NASTY

from .helpers import outcome, run_of, shell
from .hosts import Lab
from .test_faults import until_running

NAMES = (
    *("a b", " ", "-n", "--help", "-", "new\nline", "\n", "tab\t", "'", '"', "\\", "\\n", "$HOME"),
    *(
        "`id`",
        "*",
        "?",
        "[a]",
        "~",
        "#",
        ";",
        "&",
        "{a,b}",
        "%s",
        "é",
        "日本語",
        "\x01",
        "a:b",
        "=",
        "@",
    ),
    *("trailing\\", "trailing ", ".hidden", "x" * 200, os.fsdecode(b"\xff\xfe not UTF-8")),
)


@pytest.fixture(params=["sharing", "apart"])
def hosts(request: pytest.FixtureRequest) -> Lab:
    """Two hosts."""
    hosts: Lab = request.getfixturevalue(request.param)
    return hosts


@pytest.fixture(params=["plain", os.fsdecode(b"its\n \xff'folder\\")])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    folder: Path = tmp_path / request.param
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def test_t13_t14_t15_commands_and_variables(hosts: Lab, folder: Path) -> None:
    script = 'printf "%s\\0" "$@"; env -0 | grep -z ^VALUE'
    async with run_of(folder / "run", "h1", "h2") as runner:
        job = await runner.feed(
            shell(script, *NASTY), envs={f"VALUE{i}": value for i, value in enumerate(NASTY)}
        )
    assert outcome(job) == ("FINISHED", 0, None)
    said = Path(job.stdout_file).read_bytes().split(b"\0")[:-1]
    assert said[: len(NASTY)] == [os.fsencode(value) for value in NASTY]
    told = {os.fsencode(f"VALUE{i}={value}") for i, value in enumerate(NASTY)}
    assert set(said[len(NASTY) :]) == told


async def test_names_of_files(hosts: Lab, folder: Path) -> None:
    for where in ("in", "in/deep"):
        (folder / where).mkdir()
        for name in NAMES:
            (folder / where / name).write_bytes(os.fsencode(f"{where} {name}"))
    script = 'mkdir -p out; for n; do cat <"in/$n" >"out/$n"; done; cp -R in/deep all'
    files: dict[str, Any] = {
        "inputs": [*(f"in/{name}" for name in NAMES), "in/deep"],
        "outputs": [*(f"out/{name}" for name in NAMES), "all"],
    }
    async with run_of(folder / "run", "h1", "h2") as runner:
        job = await runner.feed(shell(script, *NAMES), **files)
    assert outcome(job) == ("FINISHED", 0, None), job.reason
    for name in NAMES:
        assert (folder / "out" / name).read_bytes() == os.fsencode(f"in {name}")
    found = {path.name: path.read_bytes() for path in (folder / "all").iterdir()}
    assert found == {name: os.fsencode(f"in/deep {name}") for name in NAMES}


async def test_names_that_begin_with_a_dash(hosts: Lab, folder: Path) -> None:
    (folder / "-n").write_text("one\n")
    (folder / "--help").write_text("two\n")
    files: dict[str, Any] = {"inputs": ["-n", "--help"], "outputs": ["-o"]}
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(shell("cat <./-n >./-o; cat <./--help >>./-o"), **files)
    assert outcome(job) == ("FINISHED", 0, None), job.reason
    assert (folder / "-o").read_text() == "one\ntwo\n"


async def test_what_a_resumed_run_knows_of_them(hosts: Lab, folder: Path) -> None:
    name = NAMES[-1]
    (folder / name).write_bytes(b"text")

    class Enough(Exception):
        pass

    files: dict[str, Any] = {"inputs": [name], "outputs": ["out" + name]}
    script = 'test -e go && cat <"$1" >"out$1" && printf %s "$VALUE" || sleep 600'
    with pytest.raises(Enough):  # noqa: PT012  # raised inside the block
        async with run_of(folder / "run", "h1", grace=0.2) as runner:
            job = await runner.feed(shell(script, name), envs={"VALUE": name}, **files)
            await until_running(job)
            raise Enough
    for go in (folder / "go", *hosts.hosts[0].home.glob(".cache/sched/*/files/")):
        (go if go.name == "go" else go / "go").touch()
    async with run_of(folder / "run", "h1", existing="resume") as runner:
        await runner.stop_feeding()
        (job,) = runner.jobs
    assert outcome(job) == ("FINISHED", 0, None), job.reason
    assert (folder / ("out" + name)).read_bytes() == b"text"
    assert Path(job.stdout_file).read_bytes() == os.fsencode(name)
