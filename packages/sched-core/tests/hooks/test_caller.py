from __future__ import annotations

import logging
from typing import Any

import pytest

from sched_core import HookError, Job, SpecPath, hookimpl
from sched_core.hooks import Hooks

JOB = Job(3, "true", SpecPath("/run"))


class Says:
    """A plugin that returns, or raises, the same each time."""

    def __init__(self, answer: Any, calls: list[Any] | None = None) -> None:
        self.answer = answer
        self.calls = [] if calls is None else calls

    def _answer(self) -> Any:
        self.calls.append(self.answer)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @hookimpl
    def on_job_killing(self) -> Any:
        return self._answer()

    @hookimpl
    async def on_job_verify(self, job: Any) -> Any:
        assert job is JOB
        return self._answer()

    @hookimpl
    def on_jobcmd_prep(self) -> Any:
        return self._answer()


async def test_the_last_given_is_called_first_as_pluggy_has_it() -> None:
    calls: list[Any] = []
    hooks = Hooks([Says("a", calls), Says("b", calls), Says("c", calls)])
    assert await hooks.fire("on_job_verify", scheduler=None, job=JOB) == ["c", "b", "a"]
    assert calls == ["c", "b", "a"]


async def test_none_is_no_answer() -> None:
    hooks = Hooks([Says(None), Says(False), Says(None)])
    assert await hooks.fire("on_job_killing", scheduler=None, job=None) == [False]


async def test_t53_one_that_raises_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Any] = []
    hooks = Hooks([Says("a", calls), Says(ValueError("mine"), calls), Says("c", calls)])
    with caplog.at_level(logging.ERROR, "sched"):
        assert await hooks.fire("on_job_verify", scheduler=None, job=JOB) == ["c", "a"]
    assert len(calls) == 3
    (record,) = caplog.records
    assert record.getMessage() == (
        "hook on_job_verify of plugin Says raised for job 3: ValueError('mine')"
    )


async def test_one_that_raises_is_raised_when_all_were_called() -> None:
    calls: list[Any] = []
    first = ValueError("first")
    plugins = [Says("c", calls), Says(TypeError("second"), calls), Says(first, calls)]
    with pytest.raises(HookError, match="first") as raised:
        await Hooks(plugins, "raise").fire("on_job_verify", scheduler=None, job=JOB)
    assert raised.value.__cause__ is first
    assert len(calls) == 3


def test_text_is_joined_by_the_caller() -> None:
    hooks = Hooks([Says("a"), Says(None), Says(""), Says("b")])
    assert list(hooks.text("on_jobcmd_prep", scheduler=None, job=None)) == ["b", "a"]


def test_text_that_raises_is_isolated_or_raised() -> None:
    plugins = [Says(ValueError("mine")), Says("b")]
    assert list(Hooks(plugins).text("on_jobcmd_prep", scheduler=None, job=None)) == ["b"]
    with pytest.raises(HookError):
        Hooks([Says(ValueError("mine"))], "raise").text("on_jobcmd_prep", scheduler=None, job=None)


def test_a_hook_that_nobody_implements_costs_nothing() -> None:
    hooks = Hooks([Says("a")])
    assert hooks.has("on_job_verify")
    assert not hooks.has("on_job_started")
    assert hooks.any_for_jobs()
    assert not Hooks([]).any_for_jobs()


def test_a_plugin_that_is_not_installed_is_named() -> None:
    with pytest.raises(LookupError, match="no-such-plugin"):
        Hooks(["no-such-plugin"])


def test_an_argument_that_a_hook_does_not_have_is_refused() -> None:
    class Wrong:
        @hookimpl
        def on_job_started(self, jobs: Any) -> None: ...

    with pytest.raises(Exception, match="jobs"):
        Hooks([Wrong()])


def test_a_misspelt_hook_is_refused() -> None:
    class Wrong:
        @hookimpl
        def on_job_startet(self, job: Any) -> None: ...

    with pytest.raises(Exception, match="on_job_startet"):
        Hooks([Wrong()])
