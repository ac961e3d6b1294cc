from __future__ import annotations

import inspect

from sched_meta import get_scheduler


def test_get_scheduler_takes_a_name_or_a_class_and_a_group() -> None:
    parameters = list(inspect.signature(get_scheduler).parameters.values())
    assert {p.kind for p in parameters} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert [(p.name, p.default) for p in parameters] == [
        ("name_or_class", inspect.Parameter.empty),
        ("group", "sched.schedulers"),
    ]
    assert not inspect.iscoroutinefunction(get_scheduler)
