"""What a person sees who typed something wrong to ls, pack, unpack and clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_bad_input import said


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "args, message",
    [
        ("ls none", "none is no folder; name one that has runs in it"),
        ("ls --sort age", "Invalid value for '--sort': 'age' is not one of"),
        ("ls --no-size --sort size", "--sort size needs what --no-size leaves out; choose one"),
        ("pack none", "none is no folder of a run"),
        ("pack", "there is no run under ./sched-runs; name the folder of one"),
        ("unpack none", "none is no folder of a run"),
        ("clean none", "none is no folder of a run"),
        ("clean none --remove-run --yes", "none is no folder of a run"),
        (
            "clean --remove-run",
            "name the runs to remove (sched ls lists them), or add --older-than",
        ),
        ("clean x --remove-run --remove-jobs all", "--remove-run removes the files of all jobs"),
        ("clean --older-than 30", "--older-than '30' has no unit; write for example 30d"),
        ("clean --older-than 3x", "--older-than '3x': 'x' is no unit"),
        ("clean --older-than -3d", "--older-than '-3d' must be a number above 0"),
        ("clean --remove", "no such option --remove; did you mean --remove-"),
    ],
)
def test_wrong_usage(args: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *args.split()).startswith(message)
    assert not Path("sched-runs").exists()
