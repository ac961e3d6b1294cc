from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ..app import main
from ..contest import Took
from ..engines import Engine
from ..measuring import Failed
from ..sidebyside import clusters
from ..sidebyside.contender import Contender, Field, absent, ours, take_turns
from ..sidebyside.document import Document, measured, merged, ours_failed, read
from ..sidebyside.page import page
from ..sidebyside.summary import lines_of
from ..sizes import SMOKE

THRICE = replace(SMOKE, engine_rounds=3, share=0.5)


def acting(took: list[str], name: str, *seconds: float) -> Contender:
    """Return one that takes so long in its rounds, and fails when it is to go on."""
    left = list(seconds)

    def act(jobs: int, folder: Path) -> Took:
        assert list(folder.iterdir()) == []
        (folder / "left behind").touch()
        took.append(name)
        if not left:
            raise Failed("it broke")
        return left.pop(0), 0.1

    return Contender(name=name, jobs=10, act=act, keeps="all")


def test_all_run_in_turn_each_in_a_fresh_folder(tmp_path: Path) -> None:
    took: list[str] = []
    both = [acting(took, "a", 1.0, 2.0, 3.0), acting(took, "b", 4.0, 5.0, 6.0)]
    first, second = take_turns(both, THRICE, tmp_path)
    assert took == ["a", "b"] * 3
    assert [each.seconds for each in first.rounds] == [1.0, 2.0, 3.0]
    assert first.jobs == 5
    assert all(len(each.load) == 2 for each in second.rounds)
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_has_no_more_rounds_and_keeps_what_it_had(tmp_path: Path) -> None:
    took: list[str] = []
    broken, well = take_turns(
        [acting(took, "a", 1.0), acting(took, "b", 1.0, 2.0, 3.0)], THRICE, tmp_path
    )
    assert took == ["a", "b", "a", "b", "b"]
    assert (len(broken.rounds), broken.failure) == (1, "it broke")
    assert (len(well.rounds), well.failure) == (3, "")


def test_what_is_missing_is_not_run(tmp_path: Path) -> None:
    (result,) = take_turns([absent("x", "is no more")], THRICE, tmp_path)
    assert (result.rounds, result.failure) == ([], "is no more")


# --- what the file says ---------------------------------------------------------------------------


def field(*contenders: Contender, problem: str = "") -> Field:
    @contextmanager
    def opened(_: Path) -> Iterator[Sequence[Contender]]:
        if problem:
            raise Failed(problem)
        yield contenders

    return Field("toy", "A toy", "two at a time", lambda: "toy 1.0", opened)


def taking(name: str, *seconds: float) -> Contender:
    return acting([], name, *seconds)


def told(*contenders: Contender, problem: str = "", scratch: Path) -> Document:
    return json.loads(json.dumps(measured(field(*contenders, problem=problem), THRICE, scratch)))  # type: ignore[no-any-return]  # of what JSON is


@pytest.fixture
def toy(tmp_path: Path) -> Document:
    own = replace(taking("sched, library", 0.02, 0.01, 0.03), ours=True)
    slow = replace(taking("slow", 2.0, 1.0, 3.0), note="waits", manual="https://example.org")
    return told(own, slow, taking("fast", 0.01, 0.01, 0.01), taking("none"), scratch=tmp_path)


def test_programs_stand_in_the_order_of_their_medians_beside_ours(toy: Document) -> None:
    lines = lines_of(toy)
    assert [line.name for line in lines] == ["fast", "sched, library", "slow", "none"]
    assert [line.ratio for line in lines] == [0.5, 1.0, 100.0, None]
    assert (lines[1].typical, lines[1].spread) == (4.0, "2 to 6")
    assert (lines[3].typical, lines[3].failure) == (None, "it broke")


def test_the_page_tells_all_of_it(toy: Document) -> None:
    text = page([toy])
    assert "toy 1.0; two at a time" in text
    assert "| slow |  | 5 | 400 | 200 to 600 | 100 | 20 | all |" in text
    assert "| **sched, library** |" in text
    assert "- slow: waits; [manual](https://example.org)." in text
    assert "- none: could not be measured (it broke)." in text


def test_only_ours_and_the_engine_have_to_work(toy: Document, tmp_path: Path) -> None:
    assert not ours_failed(toy)
    broken = replace(ours("sched", 10, lambda jobs, folder: (1.0, None)), missing="no")
    assert ours_failed(told(broken, scratch=tmp_path))
    without = told(problem="no daemon", scratch=tmp_path)
    assert ours_failed(without)
    assert "Could not be measured: no daemon" in page([without])


def test_an_engine_that_is_measured_anew_replaces_what_was_known(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert read(file) == []
    old: list[Document] = [{"name": "b", "at": 1}, {"name": "a", "at": 1}]
    file.write_text(json.dumps(merged(old, [{"name": "b", "at": 2}], ["a", "b", "c"])))
    assert read(file) == [{"name": "a", "at": 1}, {"name": "b", "at": 2}]


# --- the array by hand ----------------------------------------------------------------------------


def test_an_array_by_hand_keeps_what_each_task_has_said(tmp_path: Path) -> None:
    work = tmp_path / "work it"
    work.mkdir()
    (work / "submit.sh").write_text('for t in $(seq 0 "$1"); do TASK=$t bash "$2"; done\n')
    toy = Engine("toy", "", "", ["sh"], "sh submit.sh {last}".split(), "$TASK")
    seconds, _ = clusters.by_hand(toy, os.environ, 3, work)
    assert seconds > 0
    assert [(work / "rc" / str(n)).read_text() for n in range(3)] == ["0\n"] * 3
    assert {path.name for path in (work / "out").iterdir()} == {"0", "1", "2"}


# --- the command line -----------------------------------------------------------------------------


def test_an_engine_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--all", "slrum"]) == 2
    assert "there is no engine slrum; there are local, slurm" in capsys.readouterr().err
