from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..measuring import Failed, interleave, timed


def test_measures_take_turns_each_in_an_empty_folder(tmp_path: Path) -> None:
    seen = []

    def measure(name: str, folder: Path) -> float:
        assert list(folder.iterdir()) == []
        (folder / "left").touch()
        seen.append(name)
        return float(len(seen))

    found = interleave(
        2, {"a": lambda at: measure("a", at), "b": lambda at: measure("b", at)}, tmp_path
    )
    assert seen == ["a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert list(tmp_path.iterdir()) == []


def test_a_measure_that_fails_is_left_out_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(folder: Path) -> float:
        raise Failed("no such program")

    assert interleave(2, {"bad": fail, "good": lambda _: 1.0}, tmp_path) == {"good": [1.0, 1.0]}
    assert capsys.readouterr().err.count("no such program") == 1


def test_a_failure_is_told_by_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="exit code 3: it broke"):
        timed([sys.executable, "-c", "import sys; print('it broke', file=sys.stderr); sys.exit(3)"],
              tmp_path)  # fmt: skip
    with pytest.raises(Failed, match="no-such-program"):
        timed(["no-such-program"], tmp_path)


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="not done after 0 s"):
        timed(["sleep", "60"], tmp_path, limit=0.1)
