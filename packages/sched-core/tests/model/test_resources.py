from __future__ import annotations

import contextlib
import math
import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.errors import OptionError
from sched_core.model.resources import (
    Resources,
    format_memory,
    format_time,
    parse_memory,
    parse_time,
)

GIB = 2**30


class TestMemory:
    @pytest.mark.parametrize(
        "value, size",
        [
            (1, 1),
            (1.5, 2),
            (10**30, 10**30),
            ("1B", 1),
            ("4G", 4 * GIB),
            ("4 GiB", 4 * GIB),
            ("4gib", 4 * GIB),
            ("4 GB", 4 * 10**9),
            ("500 MB", 500 * 10**6),
            ("1.5k", 1536),
            (".5 TiB", 2**39),
            (" 0.1 GB ", 10**8),
            ("0.3 B", 1),
        ],
    )
    def test_t46_parses(self, value: float | str, size: int) -> None:
        assert parse_memory(value) == size
        assert isinstance(parse_memory(value), int)

    @pytest.mark.parametrize(
        "value, message",
        [
            ("4 GX", "memory '4 GX': 'GX' is no unit; write for example '4 GiB', '500 MB'"),
            ("4096", "memory '4096' has no unit; write for example"),
            ("four", "memory 'four' is no amount"),
            ("", "memory '' is no amount"),
            ("1e5 MB", "is no amount"),
            ("-1G", "memory '-1G' must be a number above 0"),
            ("0 MB", "must be a number above 0"),
            (0, "memory 0 must be a number above 0"),
            (math.nan, "must be a number above 0"),
            (math.inf, "must be a number above 0"),
            (True, "memory True is neither a number nor a text"),
            (None, "memory None is neither"),
        ],
    )
    def test_refuses(self, value: str, message: str) -> None:
        with pytest.raises(OptionError) as caught:
            parse_memory(value)
        assert message in str(caught.value)
        assert isinstance(caught.value, ValueError)

    @pytest.mark.parametrize(
        "size, text",
        [
            (1, "1 B"),
            (1000, "1000 B"),
            (1536, "1.5 KiB"),
            (4 * GIB, "4 GiB"),
            (4 * GIB + 1, "4 GiB"),
            (500 * 10**6, "500 MB"),
            (2**70, "1024 EiB"),
        ],
    )
    def test_formats(self, size: int, text: str) -> None:
        assert format_memory(size) == text

    @given(st.integers(1, 2**70))
    def test_reads_what_it_shows(self, size: int) -> None:
        assert parse_memory(format_memory(size)) == pytest.approx(size, rel=0.006)

    @given(st.integers(1, 1023), st.sampled_from("KMGTPE"), st.sampled_from(["iB", "B"]))
    def test_shows_what_it_read(self, count: int, prefix: str, unit: str) -> None:
        size = parse_memory(f"{count}{prefix}{unit}")
        assert parse_memory(format_memory(size)) == pytest.approx(size, rel=0.006)
        assert unit == "B" or format_memory(size) == f"{count} {prefix}{unit}"


class TestTime:
    @pytest.mark.parametrize(
        "value, seconds",
        [
            (90, 90),
            (0.5, 0.5),
            ("120", 120),
            (" 1.5 ", 1.5),
            (timedelta(minutes=1.5), 90),
            ("90m", 5400),
            ("1h30m", 5400),
            ("1H 30 Min", 5400),
            ("1.5 hours", 5400),
            ("1d", 86400),
            ("2 days 1s", 172801),
            ("01:30:00", 5400),
            ("100:00:00.5", 360000.5),
            ("2-12:00:00", 216000),
            ("2-12", 216000),
            ("0-0:1", 60),
        ],
    )
    def test_parses(self, value: float | str | timedelta, seconds: float) -> None:
        assert parse_time(value) == seconds
        assert isinstance(parse_time(value), float)

    @pytest.mark.parametrize(
        "value, message",
        [
            ("5x", "time '5x': 'x' is no unit; write for example '90m', '1h30m', '2-12:00:00'"),
            ("1:30", "time '1:30' may be hours or minutes"),
            ("1h30", "time '1h30' misses a unit"),
            ("1h1h", "does not go from large units to small ones"),
            ("30m1h", "does not go from large units to small ones"),
            ("1-24:00:00", "has a day of more than 24 hours"),
            ("01:60:00", "is no time"),
            ("soon", "is no time"),
            ("", "is empty"),
            ("-5", "time '-5' must be a number above 0"),
            ("-1-00:00:00", "must be a number above 0"),
            (-1, "must be a number above 0"),
            (0, "must be a number above 0"),
            ("0s", "must be a number above 0"),
            (timedelta(0), "must be a number above 0"),
            (math.nan, "must be a number above 0"),
            (math.inf, "must be a number above 0"),
            (10**400, "must be a number above 0"),
            (True, "is neither a number nor a text"),
        ],
    )
    def test_refuses(self, value: str, message: str) -> None:
        with pytest.raises(OptionError) as caught:
            parse_time(value)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        "seconds, text",
        [
            (0, "0s"),
            (0.25, "0.25s"),
            (59.9996, "1m"),
            (90, "1m30s"),
            (5400, "1h30m"),
            (216000, "2d12h"),
            (-90, "-1m30s"),
        ],
    )
    def test_formats(self, seconds: float, text: str) -> None:
        assert format_time(seconds) == text

    @given(st.floats(0.001, 10**9))
    def test_reads_what_it_shows(self, seconds: float) -> None:
        assert parse_time(format_time(seconds)) == pytest.approx(seconds, abs=0.00051)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_an_option_error(text: str) -> None:
    for parse in (parse_memory, parse_time):
        with contextlib.suppress(OptionError):
            assert 0 < parse(text) < math.inf


class TestResources:
    def test_holds_plain_numbers(self) -> None:
        resources = Resources(2, "4 GiB", "90m", 1, disk="10 GB")
        assert resources == Resources(cpus=2.0, memory=4 * GIB, time=5400, gpus="1", disk=10**10)
        assert repr(resources) == (
            "Resources(cpus=2, memory=4294967296, time=5400.0, gpus=1, disk=10000000000)"
        )
        assert hash(resources) == hash(pickle.loads(pickle.dumps(resources)))

    def test_asks_for_nothing_by_default(self) -> None:
        assert Resources().to_json() == {}
        assert Resources.from_value(None) == Resources()

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            Resources().cpus = 2  # type: ignore[misc]

    @pytest.mark.parametrize(
        "values, message",
        [
            ({"cpu": 2}, "'cpu' is no resource; did you mean 'cpus'?"),
            ({"xyz": 2}, "there are cpus, memory, time, gpus, disk"),
            ({"cpus": 0}, "cpus 0 must be a number above 0"),
            ({"cpus": "many"}, "cpus 'many' must be a number above 0"),
            ({"cpus": True}, "cpus True must be"),
            ({"cpus": math.nan}, "cpus nan must be"),
            ({"gpus": -1}, "gpus -1 must be a whole number, 0 or more"),
            ({"gpus": 0.5}, "gpus 0.5 must be a whole number"),
            ({"gpus": "inf"}, "gpus 'inf' must be a whole number"),
            ({"memory": "4 GX"}, "memory '4 GX': 'GX' is no unit"),
            ({"disk": "4 GX"}, "disk '4 GX': 'GX' is no unit"),
            ({"time": "-5"}, "time '-5' must be"),
            ("4G", "resources '4G' are neither"),
        ],
    )
    def test_refuses(self, values: object, message: str) -> None:
        with pytest.raises(OptionError) as caught:
            Resources.from_value(values)  # type: ignore[arg-type]
        assert message in str(caught.value)

    def test_memory_and_time_may_have_values_for_further_attempts(self) -> None:
        wanted = Resources(2, ["4 GiB", "8 GiB", 16 * GIB], ("1h", timedelta(hours=4)))
        assert wanted.amounts("memory") == (4 * GIB, 8 * GIB, 16 * GIB)
        assert wanted.amounts("time") == (3600, 14400)
        assert (wanted.amounts("cpus"), wanted.amounts("gpus")) == ((2,), ())
        assert (wanted.memory, wanted.time) == (4 * GIB, 3600)
        assert Resources.from_json(wanted.to_json()) == wanted
        assert wanted != Resources(2, "4 GiB", "1h")
        assert repr(Resources(time=[1, 2])) == (
            "Resources(cpus=None, memory=None, time=[1.0, 2.0], gpus=None, disk=None)"
        )
        assert hash(wanted) == hash(pickle.loads(pickle.dumps(wanted)))

    def test_an_attempt_has_one_value_of_each(self) -> None:
        wanted = Resources(2, ["4 GiB", "8 GiB"], ["1h", "4h"])
        assert wanted.after(None) == Resources(2, "4 GiB", "1h")
        assert wanted.after({"memory": 8 * GIB}) == Resources(2, "8 GiB", "1h")
        assert wanted.after({"memory": 1, "gpus": 1}) == Resources(2, "4 GiB", "1h")
        plain = Resources(2, "4 GiB")
        assert plain.after(None) is plain
        assert plain.after({"memory": 8 * GIB, "time": 5}) == Resources(2, "8 GiB")

    def test_several_values_stand_in_place_of_one(self) -> None:
        base = Resources(memory=["1G", "2G"], time="1h")
        assert base.merge({"memory": "4G"}) == Resources(memory="4G", time="1h")
        assert Resources(memory="4G").merge(base) == base

    @pytest.mark.parametrize(
        "values, message",
        [
            ({"memory": []}, "memory is a list without values; give one, or leave memory out"),
            ({"memory": ["4G", "x"]}, "memory 'x' is no amount"),
            ({"memory": ["4G", "4 GiB"]}, "memory: 4 GiB comes after 4 GiB, and is not more"),
            ({"time": ["2h", "30m"]}, "time: 30m comes after 2h, and is not more"),
            ({"memory": {"first": "4G"}}, "memory {'first': '4G'} is neither a number nor a text"),
            ({"cpus": [1, 2]}, "cpus [1, 2] must be a number above 0"),
            ({"disk": ["1G", "2G"]}, "disk ['1G', '2G'] is neither"),
        ],
    )
    def test_refuses_values_that_do_not_grow(self, values: Any, message: str) -> None:
        with pytest.raises(OptionError) as caught:
            Resources.from_value(values)
        assert message in str(caught.value)

    def test_merge_prefers_the_other_where_it_asks(self) -> None:
        base = Resources(cpus=2, memory="4G", gpus=1)
        assert base.merge({"memory": "8G", "gpus": 0}) == Resources(2, "8G", gpus=0)
        assert base.merge(None) == base.merge(Resources()) == base
        assert Resources().merge(base) == base

    @given(
        st.builds(
            Resources,
            st.none() | st.floats(0.01, 512) | st.integers(1, 512),
            st.none() | st.integers(1, 2**50),
            st.none() | st.floats(0.001, 10**7),
            st.none() | st.integers(0, 16),
            st.none() | st.integers(1, 2**50),
        )
    )
    def test_survives_the_journal(self, resources: Resources) -> None:
        assert Resources.from_json(resources.to_json()) == resources
        assert None not in resources.to_json().values()
