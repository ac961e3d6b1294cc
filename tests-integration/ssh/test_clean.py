"""What a run leaves on hosts of their own disk, and how it is removed: its own, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sched_core import Remains, RunLocked, RunNotFound, RunUnfinished, clean_run, read_run
from sched_ssh import SshScheduler

from .helpers import PATIENCE, outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_faults import WAITS, open_gate, until_running
from .test_resuming import driver

SCHED = Path(sys.executable).with_name("sched")
pytestmark = pytest.mark.timeout(300)  # each command is a further process of Python


def there(host: Host) -> list[str]:
    """Return what runs have left in the user's cache on the host."""
    cache = host.home / ".cache/sched"
    return sorted(os.listdir(cache)) if cache.exists() else []


def left_by(workdir: Path, host: Host) -> Path:
    """Return the run's folder on the host."""
    return host.home / f".cache/sched/sched-{read_run(workdir).run.run}"


async def clean(workdir: Path, *servers: str, **options: Any) -> Sequence[Remains]:
    lose_results = options.pop("lose_results", False)
    scheduler = SshScheduler(workdir, **{"servers": list(servers), **options})
    return await clean_run(scheduler, lose_results=lose_results)


async def a_run(workdir: Path, *servers: str, command: str = "echo well", **options: Any) -> None:
    """Have a job run, and end as it may."""
    async with run_of(workdir, *servers, **options) as runner:
        await runner.feed(shell(command))


async def test_all_hosts_are_cleaned_of_one_run_only(apart: Lab, tmp_path: Path) -> None:
    await a_run(tmp_path / "run", "h1", "h2")
    await a_run(tmp_path / "other", "h1", "h2")
    folders = [left_by(tmp_path / "run", host) for host in apart.hosts]
    kept = [left_by(tmp_path / "other", host) for host in apart.hosts]
    assert all(folder.is_dir() for folder in [*folders, *kept])
    found = await clean(tmp_path / "run", "h1", "h2")
    assert [remains.problem for remains in found] == ["", ""]
    name = folders[0].name
    assert [str(remains) for remains in found] == [
        f"h{n}:/home/alice/.cache/sched/{name}" for n in (1, 2)
    ]
    assert all(remains.size > 0 for remains in found)
    assert not any(folder.exists() for folder in folders)
    assert all(folder.is_dir() for folder in kept)
    assert text(tmp_path / "run/0/job.stdout") == "well\n"
    assert await clean(tmp_path / "run", "h1", "h2") == []


async def test_a_run_that_was_cleaned_can_be_gone_on_with(apart: Lab, tmp_path: Path) -> None:
    await a_run(tmp_path / "run", "h1", command="exit 3")
    await clean(tmp_path / "run", "h1")
    async with run_of(tmp_path / "run", "h1", existing="resume") as runner:
        (job,) = runner.jobs
        await runner.retry(job)
        other = await runner.feed(shell("echo again"))
    assert outcome(job) == ("FAILED", 3, "EXIT")
    assert outcome(other) == ("FINISHED", 0, None)


async def test_the_folder_that_a_server_was_given(apart: Lab, tmp_path: Path) -> None:
    servers = {"h1": {"workdir": "/scratch/a b"}}
    await a_run(tmp_path / "run", servers=servers)
    (found,) = await clean(tmp_path / "run", servers=servers)
    assert (found.path.rpartition("/")[0], found.problem) == ("/scratch/a b", "")
    assert os.listdir(apart.hosts[0].scratch / "a b") == []


async def test_a_shared_disk_holds_nothing_else(sharing: Lab, tmp_path: Path) -> None:
    await a_run(tmp_path / "run", "h1", "h2")
    assert await clean(tmp_path / "run", "h1", "h2") == []
    assert text(tmp_path / "run/0/job.stdout") == "well\n"


async def test_not_while_somebody_drives_the_run(apart: Lab, tmp_path: Path) -> None:
    async with run_of(tmp_path / "run", "h1") as runner:
        await runner.wait(await runner.feed(["true"]))
        with pytest.raises(RunLocked, match="is driven by process"):
            await clean(tmp_path / "run", "h1")
        assert left_by(tmp_path / "run", apart.hosts[0]).is_dir()
    assert len(await clean(tmp_path / "run", "h1")) == 1


async def test_no_run_is_made_by_cleaning(apart: Lab, tmp_path: Path) -> None:
    with pytest.raises(RunNotFound):
        await clean(tmp_path / "run", "h1")
    assert os.listdir(tmp_path) == []


async def test_not_while_jobs_may_run(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    with driver(tmp_path / "run", [shell(WAITS)] * 2, servers=["h1"]) as process:
        await until(lambda: len(host.processes("gate")) == 2)
        process.kill()
        process.wait()
    with pytest.raises(RunUnfinished, match=r"2 jobs of the run .* may still run \(job 0, ...\)"):
        await clean(tmp_path / "run", "h1", lose_results=True)
    assert left_by(tmp_path / "run", host).is_dir()
    open_gate(host)
    async with run_of(tmp_path / "run", "h1", existing="resume") as runner:
        await runner.stop_feeding()
    assert [remains.problem for remains in await clean(tmp_path / "run", "h1")] == [""]


async def test_what_was_given_up_and_runs_all_the_same(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    options: dict[str, Any] = {"host_lost_after": 1, "forks": 2, "error_strategy": "retry"}
    async with run_of(tmp_path / "run", "h1", "h2", **options) as runner:
        jobs = [await runner.feed(shell(WAITS)) for _ in range(2)]
        await until_running(*jobs)
        one.cut()
        await until(lambda: any(job.attempt == 2 for job in jobs))
        open_gate(two)
        await runner.stop_feeding()
    assert {job.host for job in jobs} == {"h2"}
    one.heal()
    found = {remains.host: remains for remains in await clean(tmp_path / "run", "h1", "h2")}
    assert "still" in found["h1"].problem or "connection" in found["h1"].problem
    assert found["h2"].problem == ""
    assert left_by(tmp_path / "run", one).is_dir()
    open_gate(one)
    await until(lambda: not one.processes("gate") and not one.processes("IFS= read -rd"))
    assert [r.problem for r in await clean(tmp_path / "run", "h1", "h2")] == [""]
    assert there(one) == there(two) == []


async def test_results_that_may_be_nowhere_else(apart: Lab, tmp_path: Path) -> None:
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.feed(shell("echo much >resutl"), outputs=["result"])
    assert outcome(job) == ("FAILED", 0, "OUTPUT")
    left = left_by(tmp_path / "run", apart.hosts[0])
    with pytest.raises(RunUnfinished, match=rf"job 0 in h1:\S*{left.name} .*OUTPUT.*--yes"):
        await clean(tmp_path / "run", "h1")
    assert text(left / "files/resutl") == "much\n"
    await clean(tmp_path / "run", "h1", lose_results=True)
    assert not left.exists()


async def test_a_host_that_cannot_be_reached_is_named(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    await a_run(tmp_path / "run", "h1", "h2")
    one.kill_sshd()
    first, second = await clean(tmp_path / "run", "h1", "h2")
    assert "h1 (10.99.3.11:22) refuses the connection: does sshd run there" in first.problem
    assert second.problem == ""
    assert (there(two), len(there(one))) == ([], 1)
    one.start_sshd()
    assert [remains.problem for remains in await clean(tmp_path / "run", "h1", "h2")] == [""]
    assert there(one) == []


async def test_a_host_that_is_not_named_any_more(apart: Lab, tmp_path: Path) -> None:
    await a_run(tmp_path / "run", "h1")
    async with run_of(tmp_path / "run", "h2", existing="resume") as runner:
        await runner.feed(shell("echo more"))
    first, second = await clean(tmp_path / "run", "h2")
    assert "jobs of the run were on h1: name it among the servers" in first.problem
    assert (second.host, second.problem) == ("h2", "")


# --- only what is the run's own ------------------------------------------------------------------


async def test_links_are_not_followed(apart: Lab, tmp_path: Path) -> None:
    (host,) = apart.hosts[:1]
    precious = host.scratch / "precious"
    precious.mkdir(exist_ok=True)
    (precious / "file").write_text("kept")
    links = "ln -s /scratch/precious within; ln -s /scratch/precious/file file"
    await a_run(tmp_path / "run", "h1", command=links)
    (found,) = await clean(tmp_path / "run", "h1")
    assert found.problem == ""
    assert text(precious / "file") == "kept"
    assert not left_by(tmp_path / "run", host).exists()


async def test_folders_that_may_not_be_written(apart: Lab, tmp_path: Path) -> None:
    await a_run(tmp_path / "run", "h1", command="mkdir -p a/b; touch a/b/c; chmod 500 a a/b")
    (found,) = await clean(tmp_path / "run", "h1")
    assert found.problem == ""
    assert not left_by(tmp_path / "run", apart.hosts[0]).exists()


async def test_a_link_in_place_of_the_folder(apart: Lab, tmp_path: Path) -> None:
    (host,) = apart.hosts[:1]
    await a_run(tmp_path / "run", "h1")
    left, away = left_by(tmp_path / "run", host), host.scratch / "away"
    left.rename(away)
    left.symlink_to("/scratch/away")
    (found,) = await clean(tmp_path / "run", "h1", lose_results=True)
    assert f"{left.name}: it is a link" in found.problem
    assert (away / "0/job.stdout").exists()
    left.unlink()


async def test_somebody_elses_folder(apart: Lab, tmp_path: Path) -> None:
    (host,) = apart.hosts[:1]
    await a_run(tmp_path / "run", "h1")
    left = left_by(tmp_path / "run", host)
    os.chown(left, 2999, 2999)
    (found,) = await clean(tmp_path / "run", "h1")
    assert "it is somebody else's" in found.problem
    assert left.is_dir()


async def test_a_folder_that_no_run_has_made(apart: Lab, tmp_path: Path) -> None:
    (host,) = apart.hosts[:1]
    await a_run(tmp_path / "run", "h1")
    left = left_by(tmp_path / "run", host)
    (left / ".sched").rename(left / "sched")
    (found,) = await clean(tmp_path / "run", "h1")
    assert "nothing in it shows that a run has made it" in found.problem
    assert (left / "0").is_dir()


async def test_the_folder_of_a_run_itself(apart: Lab, tmp_path: Path) -> None:
    (host,) = apart.hosts[:1]
    await a_run(tmp_path / "run", "h1")
    left = left_by(tmp_path / "run", host)
    (left / ".sched/run.json").write_text("{}")
    (found,) = await clean(tmp_path / "run", "h1")
    assert "it is the folder of a run, with its records" in found.problem
    assert (left / "0").is_dir()


async def test_where_something_is_mounted(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    await a_run(tmp_path / "run", "h1", command="mkdir 'a b'")
    left = left_by(tmp_path / "run", host)
    point = f"/home/alice/.cache/sched/{left.name}/files/a b"
    host.run("touch", "/scratch/kept")
    host.run("mount", "--bind", "/scratch", point)
    (found,) = await clean(tmp_path / "run", "h1")
    assert f"something is mounted at {point}" in found.problem
    assert (host.scratch / "kept").exists()
    host.run("umount", point)
    (found,) = await clean(tmp_path / "run", "h1")
    assert (found.problem, left.exists()) == ("", False)


async def test_hosts_that_share_a_home(lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for _ in range(2):
        lab.host(shared=[home], uid=0)
    servers: dict[str, Any] = {name: {"workdir": os.fspath(home)} for name in ("h1", "h2")}
    async with run_of(tmp_path / "run", servers=servers, forks=4) as runner:
        jobs = [await runner.feed(shell("hostname; sleep 0.2")) for _ in range(4)]
    assert {job.host for job in jobs} == {"h1", "h2"}
    (left,) = home.iterdir()
    # Of one that was given up on h2 only h2 can tell whether it runs.
    (left / "900").mkdir()
    (left / "900/job.claim.1").write_text("12 0 h2 another-boot 12 34 1.5\n")
    found = {remains.host: remains for remains in await clean(tmp_path / "run", servers=servers)}
    assert "job 900 was begun on h2 and has no end; only that host can tell" in found["h1"].problem
    assert (found["h2"].problem, list(home.iterdir())) == ("", [])
    assert await clean(tmp_path / "run", servers=servers) == []


# --- the command line ----------------------------------------------------------------------------


def sched(folder: Path, *args: str) -> tuple[int, str]:
    """Run it; return its exit code and what it said."""
    done = subprocess.run(
        [SCHED, *args], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr + done.stdout


async def test_the_command(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    await a_run(tmp_path / "r", "h1", "h2")
    name = left_by(tmp_path / "r", one).name
    two.kill_sshd()
    code, said = sched(tmp_path, "clean", "r")
    assert code == 1
    assert f"sched: removed h1:/home/alice/.cache/sched/{name} (" in said
    assert "sched: not cleaned: h2 (10.99.3.12:22) refuses the connection" in said
    assert "sched: next:    sched clean r" in said
    two.start_sshd()
    assert sched(tmp_path, "clean", "r")[0] == 0
    nothing = "sched: nothing of the run is left outside of its folder r\n"
    assert sched(tmp_path, "clean", "r") == (0, nothing)
    assert there(one) == there(two) == []


def test_the_command_asks_for_a_yes(apart: Lab, tmp_path: Path) -> None:
    with open(tmp_path / "jobs", "w") as jobs:
        jobs.write("cat >/dev/null; exit 0\n")
    run = ["run", "-s", "ssh", "-o", "servers=h1", "-w", "r", "--from", "jobs"]
    assert sched(tmp_path, *run)[0] == 0
    # As if its outputs had not come back.
    segment = max((tmp_path / "r/.sched/journal").iterdir(), key=lambda path: path.stat().st_mtime)
    with segment.open("a") as journal:
        journal.write('{"state": 0, "to": 7, "at": 1.0, "failure": "OUTPUT"}\n')
    code, said = sched(tmp_path, "clean", "r")
    assert (code, "--yes" in said) == (2, True)
    assert sched(tmp_path, "clean", "r", "--yes")[0] == 0
    assert not left_by(tmp_path / "r", apart.hosts[0]).exists()
