"""What becomes of jobs, and whom a failure is laid at: the command, or the engine."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_core import Failure, Job, JobStatus, Runner, Secret
from sched_core.text.claim import parse_claim

from ..jobs import until
from .machines import Engine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

OWN_CODES = [1, 99, 125, 126, 127, 137, 143, 255]


@pytest.fixture(params=["docker", "podman", "rootless", "apptainer"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["docker", "podman", "rootless"])
def keeper(request: pytest.FixtureRequest) -> Engine:
    """An engine whose containers are told apart."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["docker", "podman"])
def limiter(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    """An engine that holds its containers to limits."""
    monkeypatch.chdir(tmp_path)  # Podman notes that memory was short by a file where it is called
    found: Engine = request.getfixturevalue(request.param)
    return found


def scheduler(engine: Engine, folder: Path, **options: Any) -> ContainerScheduler:
    return ContainerScheduler(folder / "run", **{"pull": "never", **engine.options, **options})


async def one(
    engine: Engine, folder: Path, command: list[str], *, own: Any = None, **options: Any
) -> Job:
    async with Runner(scheduler(engine, folder, **options), plugins=[]) as runner:
        return await runner.wait(await runner.feed(command, container=own))


async def test_a_commands_own_codes_are_its_own(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=4), plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"exit {n}"] for n in OWN_CODES])
        await runner.stop_feeding()
    assert [job.rc for job in jobs] == OWN_CODES
    assert {job.failure for job in jobs} == {Failure.EXIT}
    assert not engine.left()


async def test_a_command_that_is_not_there_is_no_fault_of_the_engine(
    engine: Engine, tmp_path: Path
) -> None:
    job = await one(engine, tmp_path, ["no-such-command"])
    assert (job.rc, job.failure) == (127, Failure.EXIT)


# One process: others that wanted memory while it dies would be ended, too.
HUNGRY = ["/bin/bash", "-c", "a=x; while ((${#a} < 100000000)); do a+=$a; done; echo ${#a}"]


async def test_t37_too_much_memory_is_told_as_that(
    limiter: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where Podman leaves a file `oom`
    job = await one(limiter, tmp_path, HUNGRY, resources={"memory": "20 MiB"})
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


async def test_t37_a_command_that_hides_what_was_ended_is_told_of(
    limiter: Engine, tmp_path: Path
) -> None:
    hides = ["/bin/bash", "-c", '"$@"; exit 0', "hides", *HUNGRY]
    job = await one(limiter, tmp_path, hides, resources={"memory": "20 MiB"})
    assert (job.status, job.failure) == (JobStatus.FINISHED, None)
    claim = parse_claim(await (job.metadir / "job.claim.1").read_bytes())
    assert claim.inside_failure == Failure.OUT_OF_MEMORY


async def test_t45_more_memory_follows_too_little(
    limiter: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    memory = ["20 MiB", "1 GiB"]
    job = await one(limiter, tmp_path, HUNGRY, resources={"memory": memory})
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert job.raised == {"memory": 2**30}


async def test_what_tells_of_a_command_outlives_it_where_memory_is_short(
    engine: Engine, tmp_path: Path
) -> None:
    ancestors = """
        pid=$$
        while ((pid)) && read -r score <"/proc/$pid/oom_score_adj"; do
            echo "$score"
            while read -r name pid _; do [[ $name != PPid: ]] || break; done <"/proc/$pid/status"
        done
    """
    job = await one(engine, tmp_path, ["/bin/bash", "-c", ancestors])
    command, *others = map(int, (await job.stdout_file.read_text()).split())
    assert command == min(1000, min(others) + 200), "the kernel ends first what scores highest"


async def test_what_a_container_has_used_is_told_from_inside(
    limiter: Engine, tmp_path: Path
) -> None:
    busy = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; " + HUNGRY[2]
    job = await one(limiter, tmp_path, ["/bin/bash", "-c", busy])
    assert job.cpu is not None
    assert job.cpu > 0.05
    assert job.max_rss is not None
    assert 10**8 < job.max_rss < 10**10


async def test_a_limit_that_would_be_ignored_is_refused(rootless: Engine, tmp_path: Path) -> None:
    enforced = rootless.run("info", "--format", "{{.Host.CgroupControllers}}")
    job = await one(rootless, tmp_path, HUNGRY, resources={"memory": "20 MiB"})
    expected = Failure.OUT_OF_MEMORY if "memory" in enforced else Failure.REJECTED
    assert (job.status, job.failure) == (JobStatus.FAILED, expected)
    if expected is Failure.REJECTED:
        assert "does not enforce memory here; have systemd delegate cgroups v2" in job.reason


async def test_a_small_child_that_is_killed_is_not_taken_for_much_memory(
    limiter: Engine, tmp_path: Path
) -> None:
    command = ["/bin/sh", "-c", "kill -KILL $$"]
    job = await one(limiter, tmp_path, command, resources={"memory": "20 MiB"})
    assert (job.rc, job.failure) == (137, Failure.EXIT)


LIMITS = """
cat /sys/fs/cgroup/memory.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes
read -r quota period </sys/fs/cgroup/cpu.max || {
  read -r quota </sys/fs/cgroup/cpu/cpu.cfs_quota_us; read -r period </sys/fs/cgroup/cpu/cpu.cfs_period_us
}
echo $((quota * 100 / period))
"""


async def test_t46_resources_are_limits(limiter: Engine, tmp_path: Path) -> None:
    wanted = {"memory": "32 MiB", "cpus": 0.5}
    job = await one(limiter, tmp_path, ["/bin/bash", "-c", LIMITS], resources=wanted)
    assert await job.stdout_file.read_text() == f"{32 << 20}\n50\n"


async def lines_of(job: Job) -> set[str]:
    """Return what was said, however often.

    TERM may come twice: of Apptainer's group the client hears it, which hands it on, and so does the shell inside; on a busy
    machine the second comes when the trap for the first one has begun.
    """
    return set((await job.stdout_file.read_text()).splitlines())


async def test_a_signal_reaches_the_command(engine: Engine, tmp_path: Path) -> None:
    """Its own process: neither an init nor a shell around it keeps the signal for itself."""
    told = "trap 'echo told; exit 3' TERM; : >\"$SCHED_JOB_METADIR/begun\"; while :; do sleep 0.1; done"
    async with Runner(scheduler(engine, tmp_path, grace=60), plugins=[]) as runner:
        job = await runner.feed(["/bin/bash", "-c", told])
        await until((job.metadir / "begun").exists)
        await runner.kill(job)
    assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    assert await lines_of(job) == {"told"}
    assert not engine.left()


async def test_t38_a_time_limit(engine: Engine, tmp_path: Path) -> None:
    told = "trap 'echo told; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
    for limit in (2, 10, 30):
        folder, command = tmp_path / str(limit), ["/bin/bash", "-c", told]
        job = await one(engine, folder, command, timeout=limit, grace=60)
        if "begun" in await lines_of(job):
            break
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
    assert await lines_of(job) == {"begun", "told"}
    assert not engine.left()


async def test_a_command_that_says_nothing(engine: Engine, tmp_path: Path) -> None:
    job = await one(engine, tmp_path, ["true"])
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)
    assert await job.stdout_file.read_bytes() == b""
    assert await job.stderr_file.read_bytes() == b""


async def test_the_folder_and_the_variables_of_a_command(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "a b"
    folder.mkdir(parents=True)
    odd = "a\nb 'c' \"d\" $e \\ \udcff"
    async with Runner(scheduler(engine, tmp_path, cwd=folder), plugins=[]) as runner:
        command = ["/bin/sh", "-c", 'pwd; printf %s "$ODD"']
        job = await runner.wait(await runner.feed(command, envs={"ODD": odd, "PATH": "/bin"}))
    assert await job.stdout_file.read_bytes() == os.fsencode(f"{folder}\n{odd}")


async def test_a_folder_that_is_not_there_is_no_fault_of_the_engine(
    engine: Engine, tmp_path: Path
) -> None:
    job = await one(engine, tmp_path, ["true"], cwd="/no/such")
    assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 122, Failure.SETUP)
    assert "/no/such" in await job.stderr_file.read_text()


async def test_a_hundred_megabytes_that_are_no_text(engine: Engine, tmp_path: Path) -> None:
    job = await one(engine, tmp_path, ["head", "-c", "100000000", "/dev/urandom"])
    assert job.status is JobStatus.FINISHED
    assert (await job.stdout_file.stat()).st_size == 100_000_000
    assert await job.stderr_file.read_bytes() == b""


async def test_volumes_and_their_names(engine: Engine, tmp_path: Path) -> None:
    data, more = tmp_path / "a, b", tmp_path / 'c "d"'
    for folder in (data, more):
        folder.mkdir()
        (folder / "f").write_text(folder.name)
    command = 'cat "$DATA/f" /more/f; echo x >/more/new || echo refused; echo "$DATA"'
    job = await one(
        engine,
        tmp_path,
        ["/bin/sh", "-c", command],
        volumes=[f"DATA={data}", f"{more}:/more:ro"],
    )
    assert await job.stdout_file.read_text() == 'a, bc "d"refused\n/mnt/disks/DATA\n'


async def test_t26_outputs_belong_to_the_caller(engine: Engine, tmp_path: Path) -> None:
    made = 'echo x >"$SCHED_JOB_METADIR/made"; id -u; id -g'
    job = await one(engine, tmp_path, ["/bin/sh", "-c", made])
    assert await job.stdout_file.read_text() == f"{os.geteuid()}\n{os.getegid()}\n"
    found = (tmp_path / "run/0/made").stat()
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


async def test_a_job_may_have_a_container_of_its_own(keeper: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(keeper, tmp_path), plugins=[]) as runner:
        plain = await runner.feed(["/bin/sh", "-c", "echo $EXTRA"])
        own = await runner.feed(
            ["/bin/sh", "-c", "echo $EXTRA"],
            container={"args": ["--env", "EXTRA=1", "--network", "none"]},
        )
    assert await plain.stdout_file.read_text() == "\n"
    assert await own.stdout_file.read_text() == "1\n"


async def test_containers_are_kept_for_who_wants_them(keeper: Engine, tmp_path: Path) -> None:
    job = await one(keeper, tmp_path, ["true"], remove=False)
    assert job.status is JobStatus.FINISHED
    (left,) = keeper.left()
    keeper.run("rm", left)


THEIRS = {"HOME", "HOSTNAME", "PATH", "PWD", "SHLVL", "TERM", "container"}
"""Variables that an image or its engine may set; and Apptainer more."""
THEIRS_TOO = {"LANG", "PROMPT_COMMAND"}


async def test_t14_nothing_of_the_host_leaks_in(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mark").touch()
    listed = 'ls -A ~ /tmp /var/tmp "$HOME" "$@" 2>/dev/null; for name in $(compgen -e); do echo "=$name"; done'
    here = str(Path.cwd())
    job = await one(engine, tmp_path, ["/bin/bash", "-c", listed, "list", str(tmp_path), here])
    said = (await job.stdout_file.read_text()).splitlines()
    assert "mark" not in said
    assert "README.md" not in said
    names = {line[1:] for line in said if line.startswith("=")}
    own = ("SCHED_", "APPTAINER_", "SINGULARITY_") if engine.name == "apptainer" else ("SCHED_",)
    left = {name for name in names if not name.startswith(own)}
    assert left <= THEIRS | (THEIRS_TOO if engine.name == "apptainer" else set())
    assert "SCHED_WORKDIR" in names


async def test_t43_another_user_has_the_secret_and_cannot_read_its_file(
    keeper: Engine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(partial(os.umask, os.umask(0)))  # what a mode widens, a mask would narrow
    script = (
        'id -u; printf %s "$TOKEN" | tr a-z A-Z; cat "$SCHED_WORKDIR/.sched/secrets/TOKEN"; cat'
    )
    options = {"pull": "never", **keeper.options, "user": "1000:1000", "mode": 0o666}
    async with Runner(ContainerScheduler(tmp_path / "run", **options), plugins=[]) as runner:
        envs = {"TOKEN": Secret("hunter\n2"), "OTHER": Secret("x")}
        job = await runner.wait(await runner.feed(["/bin/sh", "-c", script], envs=envs))
        assert await job.stdout_file.read_text() == "1000\nHUNTER\n2"
        assert "ermission denied" in await job.stderr_file.read_text()
    assert (job.status.name, job.rc) == ("FINISHED", 0)
