"""Files compressed by each program, in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..manyfiles import many_files
from ..peers import parallel_version, peer_version
from ..sizes import SMOKE

TINY = replace(SMOKE, rounds=1, engine_jobs=3)


def test_each_program_is_set_beside_xargs(tmp_path: Path) -> None:
    by_hand, ours, *_ = many_files(TINY, tmp_path)
    assert (by_hand.what, by_hand.note) == ("xargs, no records", "1.00 times xargs")
    assert ours.what == "sched run"
    assert ours.value is not None
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_not_installed_is_a_row_that_says_so(tmp_path: Path) -> None:
    rows = many_files(TINY, tmp_path)
    there = {"GNU parallel": parallel_version(), "HyperQueue": peer_version("hyperqueue")}
    for name, version in there.items():
        found = [row for row in rows if row.what.startswith(name)]
        assert found
        for row in found:
            assert row.value if version else "not installed" in row.note
