"""What nobody but the user may see: on hosts and here, in the command lines of all processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sched_core import Secret
from sched_core.testing.argv import watched
from sched_core.testing.contract.outcomes import NASTY

from ..jobs import INSIDE
from .helpers import outcome, run_of, shell, text
from .hosts import Lab
from .podman import IMAGE, VARIABLES
from .test_clean import clean, left_by
from .test_faults import WAITS, open_gate, until_down, until_running

SECRETS = tuple(f"secret-of-the-{of}-{os.getpid()}" for of in ("host", "job", "file"))
_AGENT = b"IFS= read -rd"
_CHECKS = f'[ "${{#TOKEN}}" -eq {len(SECRETS[1])} ] && '


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "apart"])
async def test_no_command_line_tells(
    lab: Lab, tmp_path: Path, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").write_text(f"{SECRETS[2]}\n")
    host = lab.host(uid=0, shared=[tmp_path]) if shared else lab.host()
    servers: dict[str, Any] = {"h1": {"env": {"OF_HOST": SECRETS[0]}, "slots": 2}}
    script = '. ./it; echo "$OF_HOST $OF_JOB" >>said; ' + WAITS
    (tmp_path / "it").write_text("cat <input >output\n")
    files: dict[str, Any] = {"inputs": ["it", "input"], "outputs": ["output"]}
    with watched(SECRETS, _AGENT):
        async with run_of(tmp_path / "run", servers=servers, forks=2, grace=0.2) as runner:
            options = {"envs": {"OF_JOB": SECRETS[1]}, **files}
            killed = await runner.feed(shell(script, "killed"), **options)
            job = await runner.feed(shell(script, "stays"), **options)
            await until_running(killed, job)
            await runner.kill(killed)
            host.end_sessions()
            await until_down(runner)
            open_gate(host)
    assert outcome(job) == ("FINISHED", 0, None)
    assert (tmp_path / "output").read_text() == f"{SECRETS[2]}\n"
    said = next(host.root.glob("home/alice/.cache/sched/*/files/said"), tmp_path / "said")
    assert text(said).splitlines() == [f"{SECRETS[0]} {SECRETS[1]}"] * 2


async def test_nobody_else_may_read_a_runs_files(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.wait(await runner.feed(["true"], envs={"SECRET": SECRETS[1]}))
        assert outcome(job) == ("FINISHED", 0, None)
        look = "cat /home/alice/.cache/sched/*/0/job.wrapped.ssh"
        assert SECRETS[1] in host.run("sh", "-c", look)
        somebody = ("setpriv", "--reuid=5000", "--regid=5000", "--clear-groups")
        with pytest.raises(RuntimeError, match=r"Permission denied|No such file"):
            host.run(*somebody, "sh", "-c", look)
        script = next(host.home.glob(".cache/sched/*/0/job.wrapped.ssh"))
        path = "/" + os.fspath(script.relative_to(host.home.parent.parent))
        with pytest.raises(RuntimeError, match="Permission denied"):
            host.run(*somebody, "cat", path)


def _holding(*folders: Path) -> list[Path]:
    """Return the files that hold the job's secret."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if SECRETS[1].encode() in path.read_bytes()]


async def test_t43_a_secret_is_on_the_host_while_jobs_need_it(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    servers = {"h1": {"env": {"OF_HOST": Secret(SECRETS[0])}}}
    with watched([SECRETS[1]], _AGENT):
        async with run_of(tmp_path / "run", servers=servers, forks=2) as runner:
            command = shell(_CHECKS + '[ "$OF_HOST" ] && ' + WAITS, "one")
            jobs = [
                await runner.feed(command, envs={"TOKEN": Secret(SECRETS[1])}) for _ in range(2)
            ]
            await until_running(*jobs)
            (there,) = _holding(host.home)
            assert there == left_by(tmp_path / "run", host) / ".sched/secrets/TOKEN"
            assert (there.stat().st_mode & 0o777, there.parent.stat().st_mode & 0o777) == (
                0o600,
                0o700,
            )
            host.end_sessions()
            await until_down(runner)
            open_gate(host)
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 2
    assert _holding(host.home, tmp_path) == []


async def test_secrets_arrive_byte_for_byte(apart: Lab, tmp_path: Path) -> None:
    envs = {f"V{number}": Secret(value) for number, value in enumerate(NASTY)}
    script = "".join(f'printf "%s\\0" "$V{number}"; ' for number in range(len(NASTY)))
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.wait(await runner.feed(shell(script), envs=envs))
        arrived = (await job.stdout_file.read_bytes()).split(b"\0")[:-1]
    assert arrived == [os.fsencode(value) for value in NASTY]


async def test_t43_a_container_on_a_host_has_the_secret(holding: Lab, tmp_path: Path) -> None:
    container = {"image": IMAGE, "engine": "podman", "pull": "never", "args": ["--network", "none"]}
    servers: dict[str, Any] = {"h1": {"env": dict(VARIABLES)}}
    async with run_of(tmp_path / "run", servers=servers, patience=90) as runner:
        script = f'{INSIDE}; printf %s "$TOKEN" | tr a-z A-Z'
        envs = {"TOKEN": Secret(SECRETS[1])}
        job = await runner.feed(shell(script), envs=envs, container=container)
        await runner.wait(job)
        assert text(job.stdout_file) == f"inside\n{SECRETS[1].upper()}"
    assert not _holding(tmp_path, *(host.home for host in holding.hosts))


async def test_t43_what_a_host_that_is_away_keeps_is_removed_by_clean(
    lab: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.feed(shell(_CHECKS + "exit 0"), envs={"TOKEN": Secret(SECRETS[1])})
        await runner.wait(job)
        host.end_sessions()
        host.cut()
        await until_down(runner)
    assert outcome(job) == ("FINISHED", 0, None)
    assert "secrets of the run may still lie on h1" in caplog.text
    assert len(_holding(host.home)) == 1
    host.heal()
    await clean(tmp_path / "run", "h1")
    assert _holding(host.home, tmp_path) == []
