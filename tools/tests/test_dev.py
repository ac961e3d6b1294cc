from __future__ import annotations

import pytest

from ..dev import hatch_arguments


@pytest.mark.parametrize(
    "typed, handed_on",
    [
        (["test"], ["test", "--"]),
        (["test", "-x", "-k", "a or b"], ["test", "--", "-x", "-k", "a or b"]),
        (["test", "-k a or b"], ["test", "--", "-k a or b"]),
        (
            ["test", "--cover", "-i", "py=3.12", "-s"],
            ["test", "--cover", "-i", "py=3.12", "--", "-s"],
        ),
        (["test", "--", "--cover"], ["test", "--", "--cover"]),
        (["test", "--help"], ["test", "--help"]),
        (
            ["run", "sched", "run", "--", "echo", "{}"],
            ["run", "--", "sched", "run", "--", "echo", "{{}}"],
        ),
        (["run", "--", "echo"], ["run", "--", "--", "echo"]),
        (["build", "--all"], ["build", "--all"]),
    ],
)
def test_what_was_typed_is_handed_on(typed: list[str], handed_on: list[str]) -> None:
    assert hatch_arguments(typed) == handed_on
