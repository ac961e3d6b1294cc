"""Playing a scenario again from a line of text."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys

import pytest
from hypothesis import given

from sched_core.testing.simulator import ALL_FAULTS, Fault, Scenario, simulate
from sched_core.testing.simulator.__main__ import main

from .search import scenarios


async def stumble(driver: object) -> None:
    """Be a pipeline that fails."""
    raise RuntimeError(f"{driver} stumbles")


@given(scenarios("trio", 0))
def test_a_scenario_is_read_back_from_its_text(scenario: Scenario) -> None:
    assert Scenario.parse(str(scenario)) == scenario


def test_faults_at_chosen_moments_are_read_back() -> None:
    scenario = Scenario(7, at={Fault.PREEMPTED: 2, Fault.DRIVER_DIES: 30}, limited=True)
    assert str(scenario) == "seed=7 at=preempted:2,driver_dies:30 limited=yes"
    assert Scenario.parse(str(scenario)) == scenario


def test_the_command_plays_the_same_run_and_tells_its_story() -> None:
    scenario = Scenario(3, jobs=4, faults=frozenset({Fault.PREEMPTED}), rate=0.5)
    command = shlex.split(scenario.command)
    assert command[:3] == ["python", "-m", "sched_core.testing.simulator"]
    run = [sys.executable, *command[1:], "--trace"]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    story = simulate(scenario).story
    assert told[: len(story)] == list(story)
    assert told[-1] == "nothing went wrong that must not"
    assert any("*** preempted" in line for line in story)


def test_what_goes_wrong_is_told_and_shrunk(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{__name__}:stumble"
    assert main(["--seed", "4", "--shrink", "--pipeline", name, "horizon=100"]) == 1
    said = capsys.readouterr().out
    assert "seed=4 faults=none horizon=100\n" in said
    assert "WRONG at 0.000: driver 1 failed: RuntimeError('driver 1 stumbles')" in said
    log = logging.getLogger("sched")  # others of this process are told as before
    assert log.propagate
    assert not any(isinstance(handler, logging.NullHandler) for handler in log.handlers)


def test_all_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--faults"]) == 0
    said = capsys.readouterr().out
    assert {line.split()[0] for line in said.splitlines()} == ALL_FAULTS


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["seed=x"], "'seed=x': a whole number, at least 0, is wanted"),
        (["sed=1"], "'sed=1' is none of seed=, jobs=, "),
        (["__import__('os')"], "is none of seed=, jobs=, "),
        (["faults=preemptd"], "there is no fault 'preemptd'; did you mean preempted?"),
        (["at=preempted:0"], "a whole number, at least 1, is wanted"),
        (["rate=7"], "a number from 0 to 1 is wanted"),
        (["backend=curio"], "it is one of asyncio, trio"),
        (["--pipeline", "os"], "it is given as MODULE:FUNCTION"),
        (["--pipeline", "os:nothing"], "there is no function 'nothing' in os"),
        (["--pipeline", "no_such_module:f"], "No module named 'no_such_module'"),
        (["--bogus"], "unrecognized arguments: --bogus"),
    ],
)
def test_bad_input_is_told_in_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    said = capsys.readouterr().err
    assert exit_.value.code == 2
    assert complaint in said
    assert said.count("\n") == 1
