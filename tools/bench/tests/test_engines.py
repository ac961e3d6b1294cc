from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..engines import Engine, by_hand
from ..measuring import Failed

_WRAPPER = ': >"{run}/.sched/events/{index}.1.0.FINISHED.0"\n'


def engine(submit: str) -> Engine:
    return Engine(
        name="toy", title="", rig="", tools=["sh", "no-such-tool"], submit=submit.split(),
        task="$TASK",
    )  # fmt: skip


def finished(folder: Path, jobs: int) -> None:
    """Make what a run leaves: its wrappers, and ends that must not be taken for new ones."""
    run = folder / "run"
    (run / ".sched" / "events").mkdir(parents=True)
    (run / ".sched" / "recorder-1.bash").write_text("")
    for index in range(jobs):
        (run / str(index)).mkdir()
        wrapper = run / str(index) / "job.wrapped.toy"
        wrapper.write_text(_WRAPPER.format(run=run, index=index))
        (run / ".sched" / "events" / f"{index}.1.0.FINISHED.0").touch()


def test_by_hand_the_same_wrappers_run_again_until_all_have_ended(tmp_path: Path) -> None:
    finished(tmp_path, 3)
    (tmp_path / "submit.sh").write_text('for t in $(seq 0 "$1"); do TASK=$t bash "$2"; done\n')
    assert by_hand(engine("sh submit.sh {last}"), 3, tmp_path, os.environ) > 0
    assert len(list((tmp_path / "run" / ".sched" / "events").iterdir())) == 3
    assert (tmp_path / "run" / ".sched" / "recorder-1.bash").exists()


def test_a_tool_that_is_missing_is_named() -> None:
    with pytest.raises(Failed, match="no-such-tool not found"):
        engine("sh").tool_paths()
