from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sched_core.errors import OptionError
from sched_local import LocalScheduler
from sched_meta.driving.options import parse_options


class Declared(LocalScheduler):
    def __init__(
        self,
        *args: Any,
        image: str,
        remove: bool = True,
        share: float | None = None,
        bin_args: list[str] | None = None,
        commands: str | Sequence[str] | None = None,
        runnables: Sequence[Mapping[str, Any]] | None = None,
        labels: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    "pair, expected",
    [
        ("forks=4", 4),
        ("num_retries=0", 0),
        ("submission_batch=3", 3),
        ("prescript=1", "1"),
        ("prescript=a=b", "a=b"),
        ("cwd=/x y", "/x y"),
        ("image=7", "7"),
        ("remove=No", False),
        ("share=0.5", 0.5),
        ("mode=640", 0o640),
        ("lost-after=200", 200),
        ("timeout=90m", "90m"),
        ("mem=4G", "4G"),
        ("nice=-3", -3),
        ("ratio=1.5", 1.5),
        ("exclusive=true", True),
        ("version=1.2.3", "1.2.3"),
        ('resources={"memory": "4G"}', {"memory": "4G"}),
        ("empty=", ""),
        ('taskGroups=[{"taskCount": 2}]', [{"taskCount": 2}]),
        ('commands=["-c", "{script}"]', ["-c", "{script}"]),
        ("commands=-c {script}", "-c {script}"),
        ('labels={"team": "a"}', {"team": "a"}),
        ('runnables={"order": 1}', [{"order": 1}]),
        ('runnables=[{"order": 1}]', [{"order": 1}]),
        ("prescript={ echo; }", "{ echo; }"),
    ],
)
def test_value_has_the_declared_type_or_the_one_it_looks_like(pair: str, expected: object) -> None:
    (value,) = parse_options([pair], Declared).values()
    assert expected == value
    assert type(expected) is type(value)


def test_repeated_key_is_a_list() -> None:
    assert parse_options(["mount=gs://a:/b", "mount=N=gs://c"], Declared) == {
        "mount": ["gs://a:/b", "N=gs://c"]
    }
    assert parse_options(['runnables={"order": 1}', 'runnables={"order": 2}'], Declared) == {
        "runnables": [{"order": 1}, {"order": 2}]
    }
    assert parse_options(["volumes=a:b", "volumes=c:d"], Declared) == {"volumes": ["a:b", "c:d"]}


@pytest.mark.parametrize(
    "pair, message",
    [
        ("forks", "-o forks: write it as KEY=VALUE"),
        ("=3", "-o =3: write it as KEY=VALUE"),
        ("forks=many", "-o forks=many: it must be a whole number"),
        ("forks=1.5", "-o forks=1.5: it must be a whole number"),
        ("share=x", "-o share=x: it must be a number"),
        ("remove=maybe", "-o remove=maybe: it must be true or false"),
        ("mode=9", "-o mode=9: write permissions as in chmod"),
        ("resources={1", "-o resources={1: no JSON"),
        ("commands=[-c]", "-o commands=[-c]: no JSON: Expecting value: line 1 column 2"),
        ("taskGroups=[{]", "-o taskGroups=[{]: no JSON"),
    ],
)
def test_value_that_does_not_fit(pair: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        parse_options([pair], Declared)
    assert str(raised.value).startswith(message)
