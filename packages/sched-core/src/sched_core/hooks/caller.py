"""Calls hooks one implementation at a time, so that one that raises stops no other."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pluggy

from ..errors import HookError
from .specs import PROJECT, HookSpecs

__all__ = ["HookErrors", "Hooks"]

HookErrors = Literal["report", "raise"]

_log = logging.getLogger("sched")


_MOVES = (
    "on_job_queued",
    "on_job_submitted",
    "on_job_started",
    "on_job_verify",
    "on_job_killed",
    "on_job_failed",
    "on_job_succeeded",
)


@dataclass(frozen=True, slots=True)
class _Implementation:
    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    def call(self, values: dict[str, Any]) -> Any:
        return self.function(*[values[name] for name in self.arguments])


class Hooks:
    """The plugins of one runner.

    `plugins` None means those that are installed (entry points "sched.plugins"); a list means
    exactly these, each a module, an object, or the name of an installed one.
    `errors` says what happens to an exception in a hook: "report" logs it and goes on, "raise"
    raises HookError from the place that fired it, once every other implementation was called.
    Either way no job is lost by it.
    """

    def __init__(
        self, plugins: Iterable[object] | None = (), errors: HookErrors = "report"
    ) -> None:
        """Register the plugins. Raises pluggy's errors for one that does not fit the hooks."""
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(HookSpecs)
        _register(manager, plugins)
        manager.check_pending()
        self._errors = errors
        self._implementations = {
            name: _implementations(manager, name)
            for name in vars(HookSpecs)
            if name.startswith("on_")
        }

    def has(self, hook: str) -> bool:
        """Tell whether any plugin implements the hook: a job without hooks costs nothing."""
        return bool(self._implementations[hook])

    def any_for_jobs(self) -> bool:
        """Tell whether anything is called when a job moves, which may then take its time."""
        return any(self._implementations[hook] for hook in _MOVES)

    async def fire(self, hook: str, **values: Any) -> list[Any]:
        """Call every implementation in order; return what they returned but None."""
        results: list[Any] = []
        failures: list[Exception] = []
        for implementation in self._implementations[hook]:
            try:
                result = implementation.call(values)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:  # noqa: BLE001  # a plugin may raise anything; it is reported
                failures.append(error)
                self._report(hook, implementation, values, error)
            else:
                if result is not None:
                    results.append(result)
        self._raise(hook, failures)
        return results

    def text(self, hook: str, **values: Any) -> Sequence[str]:
        """Call every implementation of a hook that adds bash; return the pieces in order."""
        pieces: list[str] = []
        failures: list[Exception] = []
        for implementation in self._implementations[hook]:
            try:
                piece = implementation.call(values)
            except Exception as error:  # noqa: BLE001  # a plugin may raise anything; it is reported
                failures.append(error)
                self._report(hook, implementation, values, error)
            else:
                if piece:
                    pieces.append(str(piece))
        self._raise(hook, failures)
        return pieces

    def _report(
        self, hook: str, implementation: _Implementation, values: dict[str, Any], error: Exception
    ) -> None:
        job = values.get("job")
        about = f" for job {job.index}" if job is not None else ""
        _log.error(
            "hook %s of plugin %s raised%s: %r",
            hook,
            implementation.plugin,
            about,
            error,
            exc_info=error,
        )

    def _raise(self, hook: str, failures: list[Exception]) -> None:
        if failures and self._errors == "raise":
            raise HookError(f"hook {hook} raised {failures[0]!r}") from failures[0]


def _register(manager: pluggy.PluginManager, plugins: Iterable[object] | None) -> None:
    if plugins is None:
        manager.load_setuptools_entrypoints("sched.plugins")
        return
    for plugin in plugins:
        if isinstance(plugin, str):
            if not manager.load_setuptools_entrypoints("sched.plugins", name=plugin):
                raise LookupError(f"no plugin {plugin!r} is installed (entry points sched.plugins)")
        else:
            manager.register(plugin)


def _implementations(manager: pluggy.PluginManager, hook: str) -> tuple[_Implementation, ...]:
    found = getattr(manager.hook, hook).get_hookimpls()
    # pluggy keeps them in the reverse of the order in which it calls them
    return tuple(_Implementation(_name(i), i.function, i.argnames) for i in reversed(found))


def _name(implementation: pluggy.HookImpl) -> str:
    # pluggy names an object by its address, which tells a person nothing.
    name = implementation.plugin_name
    return type(implementation.plugin).__qualname__ if name.isdigit() else name
