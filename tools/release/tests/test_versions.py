from __future__ import annotations

import pytest
from packaging.version import Version

from ..versions import following, level_for, next_version, with_range


@pytest.mark.parametrize(
    "version,kinds,after",
    [
        ("0.3.4", ["fixed"], "0.3.5"),
        ("0.3.4", ["added", "fixed"], "0.3.5"),
        ("0.3.4", ["changed", "fixed"], "0.4.0"),
        ("0.3.4", ["removed"], "0.4.0"),
        ("1.3.4", ["fixed"], "1.3.5"),
        ("1.3.4", ["added"], "1.4.0"),
        ("1.3.4", ["changed"], "1.4.0"),
        ("1.3.4", ["added", "removed"], "2.0.0"),
    ],
)
def test_changes_raise_a_version(version: str, kinds: list[str], after: str) -> None:
    now = Version(version)
    assert next_version(now, level_for(kinds, now)) == Version(after)


def test_a_version_can_be_asked_for() -> None:
    assert next_version(Version("0.3.4"), "major") == Version("1.0.0")
    assert next_version(Version("0.3.4"), "0.9.0") == Version("0.9.0")
    with pytest.raises(ValueError, match="'big' is no version and none of patch, minor, major"):
        next_version(Version("0.3.4"), "big")


@pytest.mark.parametrize(
    "version,wanted",
    [
        ("0.2.0", ">=0.2,<0.3"),
        ("0.2.3", ">=0.2.3,<0.3"),
        ("0.10.10", ">=0.10.10,<0.11"),
        ("1.0.0", ">=1.0,<2"),
        ("2.4.0", ">=2.4,<3"),
    ],
)
def test_a_range_ends_before_what_may_break(version: str, wanted: str) -> None:
    assert following(Version(version)) == wanted


def test_a_range_is_written_where_the_sibling_is_wanted_and_nowhere_else() -> None:
    before = """\
dependencies = ["sched-core[gs]>=0.1,<0.2", "sched-core-more>=0.1", "other>=1"]
extra = ["sched-core >= 0.1; python_version > '3'"]
"""
    assert (
        with_range(before, "sched-core", ">=0.2,<0.3")
        == """\
dependencies = ["sched-core[gs]>=0.2,<0.3", "sched-core-more>=0.1", "other>=1"]
extra = ["sched-core>=0.2,<0.3; python_version > '3'"]
"""
    )
