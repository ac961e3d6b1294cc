"""What the scheduler of a cluster is told, and how it runs the engine's tools."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sched_core import EngineUnavailable, Scheduler
from sched_core.scheduler.options import check_count

from .directives import take_directives
from .tool import Answer, Toolbox

__all__ = ["ClusterConfiguration"]

_HOST_FAILURES = 3
_JOBS_AT_ONCE = 10_000
"""Jobs of a submission at most, however many share a task: it is one step of the driver."""


class ClusterConfiguration(Scheduler):
    """The options that schedulers of clusters share, the engine's own ones, and its tools."""

    throttles: ClassVar[bool] = True
    containers: ClassVar[bool] = True
    enforces_resources: ClassVar[bool] = True
    usual_forks: ClassVar[int | None] = 1000
    poll_interval: ClassVar[tuple[float, float]] = (2.0, 30.0)
    usual_rate: ClassVar[str | None] = "10/s"

    programs: ClassVar[tuple[str, ...]]
    """The engine's tools: each is an option of its name, for where it lies."""

    legal_directives: ClassVar[Mapping[str, str]]
    """The engine's own options, by every name that they may be given under."""

    reserved_directives: ClassVar[Mapping[str, str]]
    """What to use instead of options that the scheduler sets itself."""

    usual_array: ClassVar[int] = 1001
    """Tasks of an array at most, whatever the site allows."""

    tool_patience: ClassVar[float] = 90.0
    """Seconds after which a tool that does not answer is given up."""

    busy_words: ClassVar[re.Pattern[str]]
    """What the engine's tools print where the engine has too much to do."""

    # --- options ---------------------------------------------------------------------------------

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that the scheduler takes, but the engine's own."""
        return super().option_names() | {*cls.programs, "chunk", "host_failures"}

    @classmethod
    def native_option_names(cls) -> frozenset[str]:
        """Return the names of the engine's directives."""
        return frozenset(cls.legal_directives) - frozenset(cls.reserved_directives)

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        self.tools = {name: str(options.pop(name, None) or name) for name in self.programs}
        self.toolbox = Toolbox(self.tools, self.tool_patience, self.inherited)
        self.chunk = check_count("chunk", options.pop("chunk", 1), 1)
        most = options.pop("host_failures", _HOST_FAILURES)
        self.host_failures = check_count("host_failures", most, 1)
        self.set_largest_array(self.usual_array)
        self.directives = take_directives(
            self.name,
            options,
            self.legal_directives,
            self.reserved_directives,
            self.option_names(),
        )
        return {**self._changed_options(), **self.directives}

    def _changed_options(self) -> dict[str, Any]:
        own: dict[str, Any] = {name: path for name, path in self.tools.items() if path != name}
        if self.chunk > 1:
            own["chunk"] = self.chunk
        if self.host_failures != _HOST_FAILURES:
            own["host_failures"] = self.host_failures
        return own

    def set_largest_array(self, tasks: int) -> None:
        """Note how many tasks an array may have; 1 where the site has none."""
        self.largest_array = max(1, min(tasks, self.usual_array))
        at_once = min(self.largest_array, max(1, _JOBS_AT_ONCE // self.chunk))
        self.max_batch = at_once * self.chunk
        self.queue_ahead = self.max_batch + self.forks * (self.chunk - 1)

    # --- tools -----------------------------------------------------------------------------------

    def inherited(self) -> Mapping[str, str]:
        """Return the driver's environment, which engines record, without what jobs have as secrets."""
        session = self._session
        return os.environ if session is None else session.secrets.withhold(os.environ)

    def find_tools(self, *names: str) -> None:
        """Raise EngineUnavailable for the first tool that is not there."""
        self.toolbox.check(*names)

    async def run_tool(
        self, argv: Sequence[str], extra: Mapping[str, str] | None = None, *, patient: bool = False
    ) -> Answer:
        """Run a tool to its end, in its turn: a `patient` one after those for which somebody waits.

        Raises EngineUnavailable where it does not come to one.
        """
        try:
            return await self.call_engine(argv, extra=extra, patient=patient)
        except TimeoutError as error:
            raise EngineUnavailable(f"{argv[0]} did not return", command=argv) from error

    async def call_engine(
        self,
        argv: Sequence[str],
        stdin: bytes = b"",
        extra: Mapping[str, str] | None = None,
        *,
        patient: bool,
    ) -> Answer:
        """Run a tool, in its turn. Raises TimeoutError, EngineUnavailable where it cannot be run."""
        budget = self.session.budget
        if budget is None:
            return await self.toolbox.run(argv, stdin, extra)
        await budget.take(patient=patient)
        began = self.session.ports.monotonic()
        try:
            answer = await self.toolbox.run(argv, stdin, extra)
        except TimeoutError:
            await budget.complain(began)
            raise
        if self.busy_words.search(answer.stderr):
            await budget.complain(began)
        return answer
