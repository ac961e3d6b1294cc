from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core import OptionError
from sched_core.model.rate import Rate


@pytest.mark.parametrize(
    "value, rate",
    [
        (5, Rate(5, 25)),
        (0.5, Rate(0.5, 3)),
        ("10/s", Rate(10, 50)),
        ("30/min", Rate(0.5, 3)),
        ("36/h", Rate(0.01, 1)),
        (" 5/s:20 ", Rate(5, 20)),
        ("5:1", Rate(5, 1)),
    ],
)
def test_what_people_write(value: object, rate: Rate) -> None:
    assert Rate.from_value(value) == rate


@pytest.mark.parametrize(
    "value", ["", "fast", "5/d", "-1", "5:", ":5", True, None, [5], "1e3", "\u0665"]
)
def test_what_is_no_rate(value: object) -> None:
    with pytest.raises(OptionError, match=r"engine_rate .* is no rate; write for example 5"):
        Rate.from_value(value)


@pytest.mark.parametrize("value", [0, "0/min", "5:0", "0.0"])
def test_a_rate_lets_something_through(value: object) -> None:
    with pytest.raises(OptionError, match="must be above 0"):
        Rate.from_value(value)


@given(st.integers(1, 10**6), st.sampled_from(["s", "min", "h"]), st.integers(1, 10**6))
def test_a_rate_is_read_as_it_was_written(number: int, unit: str, burst: int) -> None:
    rate = Rate.from_value(f"{number}/{unit}:{burst}")
    again = Rate.from_value(str(rate))
    assert again.burst == burst
    assert math.isclose(again.per_second, rate.per_second)
