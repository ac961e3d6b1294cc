"""Grid Engine's tools as functions: each call is one question or one change, and its answer is read."""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection, Mapping, Sequence

from sched_core import EngineUnavailable, SubmitOutcomeUnknown

from ..cluster.configuration import ClusterConfiguration
from ..cluster.places import JobIds
from ..cluster.tool import Answer
from . import commands
from .accounting import Record, parse_qacct
from .cell import Config, parse_config
from .errors import judge_submission, said
from .parsers import Row, Why, parse_qstat, parse_qsub, parse_reasons
from .tools import find_tools

__all__ = ["USUAL_ENVIRONMENTS", "SgeClient"]

USUAL_ENVIRONMENTS = ("smp", "shm", "threads", "thread", "threaded", "openmp", "make")
"""What sites call a parallel environment of one host."""

_FORM = {"TZ": "UTC0", "LC_ALL": "C", "SGE_SINGLE_LINE": "1"}
"""Times in universal time, settings in one line."""
_ONE_HOST = "$pe_slots"
_MOST_ENVIRONMENTS = 8


class SgeClient:
    """Asks Grid Engine, and has it do things. All raises EngineUnavailable where there is no answer."""

    def __init__(self, scheduler: ClusterConfiguration) -> None:
        """Run the tools of this scheduler, in their turn."""
        self._scheduler = scheduler
        self.named = dict(scheduler.tools)
        """The tools as the user calls them."""
        self._needed: dict[str, str] = {}
        self._found = False

    async def find_tools(self) -> None:
        """Find out which programs stand behind wrappers, and what they need in their environment."""
        if not self._found:
            found = await find_tools(self.named, self._scheduler.toolbox.run)
            self._scheduler.tools.update(found.programs)
            self._needed = dict(found.environment)
            self._found = True

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that tell which cell it is, among the driver's own."""
        return {**os.environ, **self._needed}

    # --- questions -------------------------------------------------------------------------------

    async def config(self) -> Config:
        """Ask how the cell is set up."""
        answer = await self.ask(commands.show_config(self._tool("qconf")))
        try:
            return parse_config(answer.stdout)
        except ValueError as error:
            raise EngineUnavailable(str(error), command=answer.command) from error

    async def environment_of_one_host(self) -> str | None:
        """Return a parallel environment whose slots are on one host, the usual names first."""
        try:
            answer = await self.ask(commands.show_environments(self._tool("qconf")))
        except EngineUnavailable:
            return None  # with rc 1 where there is none
        names = answer.stdout.split()
        usual = [name for name in USUAL_ENVIRONMENTS if name in names]
        for name in [*usual, *(n for n in names if n not in usual)][:_MOST_ENVIRONMENTS]:
            told = await self.ask(commands.show_environment(self._tool("qconf"), name))
            if _ONE_HOST in told.stdout.split():
                return name
        return None

    async def qmaster(self) -> int | None:
        """Return when the qmaster was started: it says so in a file that all tools read."""
        where = self.environment
        cell = where.get("SGE_CELL") or "default"
        path = os.path.join(where.get("SGE_ROOT", ""), cell, "common", "act_qmaster")
        return await self._scheduler.session.ports.offload(_changed, path)

    async def queue(self) -> list[Row]:
        """Ask for all jobs of the user."""
        await self.find_tools()
        answer = await self.ask(commands.qstat(self._tool("qstat"), _user()))
        try:
            return parse_qstat(answer.stdout)
        except ValueError as error:
            raise EngineUnavailable(str(error), command=answer.command) from error

    async def reasons(self, ids: Collection[str]) -> dict[str, Why]:
        """Ask why these jobs, given by their arrays' ids, wait or have failed."""
        if not ids:
            return {}
        try:
            answer = await self.ask(commands.qstat_reasons(self._tool("qstat"), sorted(ids)))
        except EngineUnavailable as error:
            if "do not exist" in (error.stderr or "") + str(error):
                return {}
            raise
        return parse_reasons(answer.stdout)

    async def records(self, job: str) -> list[Record]:
        """Ask the accounting about a job's id, or name; it tells nothing of one that it does not know."""
        try:
            answer = await self.ask(commands.qacct(self._tool("qacct"), job))
        except EngineUnavailable as error:
            if "not found" in str(error):
                return []
            raise
        return list(parse_qacct(answer.stdout))

    async def ask(self, argv: Sequence[str]) -> Answer:
        """Run a tool that changes nothing."""
        answer = await self._scheduler.run_tool(argv, {**self._needed, **_FORM})
        if answer.returncode != 0:
            raise answer.error(EngineUnavailable, said(answer.stderr or answer.stdout))
        return answer

    # --- changes ---------------------------------------------------------------------------------

    async def submit(self, argv: Sequence[str], script: bytes) -> str:
        """Run qsub and return the id. Raises SubmitRejected and SubmitOutcomeUnknown, too."""
        call = self._scheduler.call_engine
        try:
            answer = await call(argv, script, self._needed, patient=True)
        except TimeoutError as error:
            raise SubmitOutcomeUnknown("qsub did not return", command=argv) from error
        if answer.returncode != 0:
            words = said(answer.stderr or answer.stdout)
            raise answer.refusal(judge_submission(answer.stderr), words)
        try:
            return parse_qsub(answer.stdout)
        except ValueError as error:
            raise answer.error(SubmitOutcomeUnknown, str(error)) from error

    async def delete(self, ids: JobIds) -> None:
        """End jobs, or take them out of the queue."""
        for words in commands.delete_ids(ids):
            await self._change(commands.qdel(self._tool("qdel"), words))

    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array may run at once."""
        await self._change(commands.set_limit(self._tool("qalter"), array, limit), patient=True)

    async def set_requests(self, array: str, requests: str) -> None:
        """Change what the tasks of an array that wait ask for."""
        argv = commands.set_requests(self._tool("qalter"), array, requests)
        await self._change(argv, patient=True)

    async def _change(self, argv: Sequence[str], *, patient: bool = False) -> None:
        """Run a tool that changes jobs; of those that have ended it complains, and does the rest."""
        answer = await self._scheduler.run_tool(argv, self._needed, patient=patient)
        if answer.returncode < 0 or judge_submission(answer.stderr) != "rejected":
            raise answer.error(EngineUnavailable, said(answer.stderr))

    def _tool(self, name: str) -> str:
        return self._scheduler.tools[name]


def _changed(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
