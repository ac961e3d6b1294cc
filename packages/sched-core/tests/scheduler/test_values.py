"""What options may hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sched_core import OptionError
from sched_core.model.container import Container
from sched_core.processes.machine import parse_cards
from sched_core.scheduler.values import (
    check_path,
    check_prefix,
    check_text,
    check_texts,
    check_variables,
)

WRONG: list[tuple[Callable[[str, Any], object], list[object]]] = [
    (check_path, [None, 3, ["x"], {"x": 1}, object()]),
    (check_text, [3, b"x", ["x"], object()]),
    (check_texts, [3, [1], ["x", None], object()]),
    (check_variables, [3, "x", b"x", ["x"], {"A": 1}, {1: "A"}, object()]),
    (check_prefix, [3, "", "a\nb", "a\0", b"x", ["x"]]),
]


@pytest.mark.parametrize("check, values", WRONG)
def test_what_is_of_another_kind_is_refused_by_its_name(
    check: Callable[[str, Any], object], values: list[object]
) -> None:
    for value in values:
        with pytest.raises(OptionError, match=r"^opt "):
            check("opt", value)


def test_what_is_of_the_kind_is_returned() -> None:
    assert check_path("opt", Path("a")) == Path("a")
    assert check_path("opt", b"a\xff") == "a\udcff"
    assert [check_text("opt", value) for value in ("a", "", None)] == ["a", "", ""]
    assert check_texts("opt", "a:/a") == check_texts("opt", (Path("a:/a"),)) == ["a:/a"]
    assert check_texts("opt", None) == []
    assert check_variables("opt", {"A": "B"}) == {"A": "B"}
    assert check_variables("opt", None) == {}
    assert [check_prefix("opt", value) for value in ("a", None)] == ["a", None]


def test_what_names_no_cards_is_refused() -> None:
    wrong: list[Any] = [1.5, object(), True, ["0", "0"]]
    for value in wrong:
        with pytest.raises(OptionError, match=r"^gpus "):
            parse_cards(value)


@pytest.mark.parametrize(
    "name, values",
    [
        ("engine", [3, ["docker"]]),
        ("remove", [b"x", 1]),
        ("reuse", ["no"]),
        ("user", [-1, True, 1.5, b"x", ["x"]]),
    ],
)
def test_what_is_no_container_is_refused(name: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(OptionError, match=r"^container: "):
            Container.from_value({"image": "i", name: value})


def test_a_user_may_be_a_number() -> None:
    found = Container.from_value({"image": "i", "user": 0})
    assert found is not None
    assert found.user == "0"
