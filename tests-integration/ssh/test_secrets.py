"""What nobody but the user may see: on hosts and here, in the command lines of all processes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .helpers import outcome, run_of, shell, text
from .hosts import Lab
from .test_faults import WAITS, open_gate, until_down, until_running

SECRETS = tuple(f"secret-of-the-{of}-{os.getpid()}" for of in ("host", "job", "file"))


class Watcher(threading.Thread):
    """Reads the command lines of all processes, of this machine and of its hosts, over and over."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    with contextlib.suppress(OSError):
                        self.seen.add(Path(entry.path, "cmdline").read_bytes())

    def stop(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def watched(secrets: Sequence[str]) -> Iterator[None]:
    """Fail where a secret is in some command line while the block runs."""
    watcher = Watcher()
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()
    assert any(b"IFS= read -rd" in line for line in watcher.seen), "the agent was not even seen"
    told = [line for line in watcher.seen if any(word.encode() in line for word in secrets)]
    assert told == []


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
    with watched(SECRETS):
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
