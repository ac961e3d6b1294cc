"""What a machine has is never given out twice, and slots are numbered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sched_core import JobStatus, OptionError
from sched_core.processes.machine import this_machine

from .running import outcome, runner, shell

MEASURED = """
mkdir "$1/$SCHED_JOB_INDEX"
seen() { ls "$1" | wc -l; }
until [[ $SCHED_JOB_INDEX -ge $2 || $(seen "$1") -ge $2 ]]; do sleep 0.02; done
seen "$1"; sleep 0.03; rmdir "$1/$SCHED_JOB_INDEX"
"""
"""Says how many jobs run now; the first ones wait until there are as many as there is room for."""
CLASHES = """
IFS=,
for card in $CUDA_VISIBLE_DEVICES; do mkdir "$1/$card" || echo "clash on $card"; done
echo "[$CUDA_VISIBLE_DEVICES]"; sleep 0.03
for card in $CUDA_VISIBLE_DEVICES; do rmdir "$1/$card"; done
"""


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    folder = tmp_path / "busy"
    folder.mkdir()
    return folder


def said(workdir: Path, index: int) -> str:
    return (workdir / f"{index}/job.stdout").read_text().strip()


def half_the_memory() -> int:
    return int(this_machine("local").memory * 0.4)


@pytest.mark.parametrize("what", ["forks", "cpus", "memory"])
async def test_t46_no_more_runs_at_once_than_there_is_room_for(
    tmp_path: Path, busy: Path, what: str
) -> None:
    cores = len(os.sched_getaffinity(0))
    wanted, room = {
        "forks": (None, 3),
        "cpus": ({"cpus": 1}, min(cores, 6)),
        "memory": ({"memory": half_the_memory()}, 2),
    }[what]
    async with runner(tmp_path / "run", forks=3 if what == "forks" else 6) as running:
        jobs = [
            await running.feed(shell(MEASURED, busy, room), resources=wanted) for _ in range(24)
        ]
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
    at_once = [int(said(tmp_path / "run", job.index)) for job in jobs]
    assert max(at_once) == room


@pytest.mark.parametrize(
    "wanted,message",
    [
        ({"cpus": 100000}, "a job asks for cpus=100000; this machine has "),
        ({"memory": "1000 TiB"}, "a job asks for memory="),
        ({"gpus": 3}, "a job asks for gpus=3; this machine has 2"),
        ({"disk": "1 GiB"}, "cannot promise disk space"),
    ],
)
async def test_what_can_never_be_given_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, object], message: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    async with runner(tmp_path / "run") as running:
        with pytest.raises(OptionError, match=message):
            await running.feed(["true"], resources=wanted)
        assert running.jobs == []


async def test_each_card_is_held_by_one_job(
    tmp_path: Path, busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,GPU-8a")
    numbers = [1, 2, 1, 3, 1, 1, 2, 1] * 2
    async with runner(tmp_path / "run", forks=8) as running:
        for number in numbers:
            await running.feed(shell(CLASHES, busy), resources={"gpus": number})
    seen = [said(tmp_path / "run", index) for index in range(len(numbers))]
    cards = [line.strip("[]").split(",") for line in seen]
    assert [len(held) for held in cards] == numbers
    assert {card for held in cards for card in held} == {"3", "5", "GPU-8a"}


async def test_who_asks_for_no_cards_sees_the_drivers_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    show = shell('echo "[$CUDA_VISIBLE_DEVICES]"')
    async with runner(tmp_path / "run") as running:
        await running.feed(show)
        await running.feed(show, resources={"gpus": 0})
        await running.feed(show, resources={"gpus": 1})
        await running.feed(show)
    shown = [said(tmp_path / "run", index) for index in range(4)]
    assert shown[:2] == ["[3,5]", "[]"]
    assert shown[2] in ("[3]", "[5]")
    assert shown[3] == "[3,5]"


async def test_slots_are_numbered_and_no_two_at_once_alike(tmp_path: Path, busy: Path) -> None:
    script = 'mkdir "$1/$SCHED_SLOT" || echo clash; echo "$SCHED_SLOT"; sleep 0.02; rmdir "$1/$SCHED_SLOT"'
    async with runner(tmp_path / "run", forks=3) as running:
        for _ in range(30):
            await running.feed(shell(script, busy))
    assert {said(tmp_path / "run", index) for index in range(30)} == {"0", "1", "2"}


HOLDER = """
import sys, anyio
from sched_core import Runner
from sched_local import LocalScheduler

async def main(workdir, go):
    async with Runner(LocalScheduler(workdir, forks=4), plugins=[]) as runner:
        script = 'echo "$CUDA_VISIBLE_DEVICES $SCHED_SLOT"; until [[ -e $1 ]]; do sleep 0.02; done'
        job = await runner.feed(["bash", "-c", script, "bash", go], resources={"gpus": 1, "cpus": 1})
        while not (await job.stdout_file.exists() and await job.stdout_file.read_text()):
            await anyio.sleep(0.02)
        print("running", flush=True)
        await anyio.sleep_forever()

anyio.run(main, *sys.argv[1:])
"""


def run_and_die(workdir: Path, go: Path) -> None:
    """Have a driver start a job that holds a card, and be killed."""
    command = [sys.executable, "-c", HOLDER, str(workdir), str(go)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "running\n"
        driver.kill()


async def test_what_an_adopted_job_holds_is_not_given_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,9")
    go = tmp_path / "go"
    run_and_die(tmp_path / "run", go)
    show = shell('echo "$CUDA_VISIBLE_DEVICES $SCHED_SLOT"')
    async with runner(tmp_path / "run", "resume", forks=4) as second:
        (adopted,) = second.jobs
        one = await second.feed(show, resources={"gpus": 1})
        both = await second.feed(show, resources={"gpus": 2})
        await second.wait(one)
        assert (adopted.status, both.status.final) == (JobStatus.RUNNING, False)
        go.touch()
    cards, slots = zip(*[said(tmp_path / "run", index).split() for index in range(3)], strict=True)
    assert set(cards[:2]) == {"4", "9"}
    assert set(cards[2].split(",")) == {"4", "9"}
    assert slots[:2] == ("0", "1")
    assert outcome(adopted) == ("FINISHED", 0, None)
