"""Bundles, read by the bash of a task."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sched_core import AttemptId
from sched_gbatch.bundles import TASKS_OF_A_BUNDLE, bundle, bundle_path, bundle_paths, bundles

HEAD = b"sched-bundle 0001 0 %d %d\n"

# What the script of a job can hold: any byte but NUL.
scripts = st.one_of(
    st.none(),
    st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"")),
    st.lists(st.sampled_from([b"end\n", b"\n", b"a b\n", b"\xff\xfe\n", b"\\x$(y)'\"\n", b"  \t\n"])).map(b"".join),
)  # fmt: skip


def functions() -> str:
    """Return the functions of the task's script, without what it does."""
    text = files("sched_gbatch").joinpath("task.bash").read_text()
    return text.partition("# --- the task\n")[0]


def read_by_bash(bundle: Path, number: int, sid: str = "0001") -> tuple[bytes, bytes] | None:
    """Return what a task finds: its INDEX:ATTEMPT and its script; None where the bundle is not whole."""
    code = f"""{functions()}
_sched_bundle=$1 _sched_number=$2 _sched_sid=$3 _sched_scratch=/x _sched_mounted=/y
_sched_read_bundle || exit 9
_sched_find_job
printf '%s:%s\\n' "$_sched_index" "$_sched_attempt"
((!_sched_count)) || printf '%s\\n' "${{_sched_lines[@]:_sched_skip:_sched_count}}"
"""
    argv = ["/bin/bash", "-c", code, "-", str(bundle), str(number), sid]
    done = subprocess.run(argv, capture_output=True, check=False)
    assert not done.stderr
    if done.returncode == 9:
        return None
    assert done.returncode == 0
    head, _, script = done.stdout.partition(b"\n")
    return head, script


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles") / "one"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(scripts, min_size=1, max_size=5), st.integers(0, 3), st.data())
def test_a_task_finds_its_script(
    path: Path, given_scripts: list[bytes | None], first: int, data: st.DataObject
) -> None:
    tasks = [AttemptId(index * 7, index + 1) for index in range(len(given_scripts))]
    place = data.draw(st.integers(0, len(tasks) - 1))
    path.write_bytes(bundle("0001", first * TASKS_OF_A_BUNDLE, tasks, given_scripts))
    found = read_by_bash(path, first * TASKS_OF_A_BUNDLE + place)
    expected = given_scripts[place] or b""
    assert found == (
        b"%d:%d" % tasks[place],
        expected if not expected or expected.endswith(b"\n") else expected + b"\n",
    )


def test_what_is_not_whole_is_not_believed(path: Path) -> None:
    whole = bundle("0001", 0, [AttemptId(0, 1), AttemptId(1, 1)], [b"a\nb\n", b"end\nend\n"])
    for size in range(len(whole)):
        if whole[:size].endswith(b"\nend") and size == len(whole) - 1:
            continue  # but for the end of its last line it is whole
        path.write_bytes(whole[:size])
        assert read_by_bash(path, 1) is None, whole[:size]
    path.write_bytes(whole)
    assert read_by_bash(path, 1) == (b"1:1", b"end\nend\n")


def test_that_of_another_submission_is_not_believed(path: Path) -> None:
    path.write_bytes(bundle("0001", 0, [AttemptId(0, 1)], [b"a\n"]))
    assert read_by_bash(path, 0, "0002") is None
    path.unlink()
    assert read_by_bash(path, 0) is None


@pytest.mark.parametrize("count", [1, 127, 128, 129, 1000])
def test_bundles_and_their_places_agree(count: int) -> None:
    tasks = [AttemptId(index, 1) for index in range(count)]
    made = bundles("0001", tasks, [b"%d\n" % index for index in range(count)])
    paths = bundle_paths("gs://b/r/.sched/bundles", "0001", count)
    assert len(made) == len(paths) == -(-count // TASKS_OF_A_BUNDLE)
    last = paths.index(bundle_path("gs://b/r/.sched/bundles", "0001", count - 1))
    assert b"%d\nend\n" % (count - 1) in made[last]
    assert made[last].startswith(b"sched-bundle 0001 %d " % (last * TASKS_OF_A_BUNDLE))
