"""Slurm's tools as functions: each call is one question or one change, and its answer is read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from sched_core import EngineUnavailable, SubmitOutcomeUnknown

from ..cluster.configuration import ClusterConfiguration
from ..cluster.places import JobIds
from ..cluster.tool import Answer
from . import commands
from .errors import judge_submission, said
from .parsers import (
    Config,
    Row,
    Submitted,
    parse_config,
    parse_sacct,
    parse_sbatch,
    parse_squeue,
)

__all__ = ["ASKED_AT_ONCE", "LOOK_BACK", "SlurmClient"]

LOOK_BACK = 2 * 86400
"""Seconds that the accounting is searched for."""
ASKED_AT_ONCE = 200
"""Jobs, or arrays, about which the accounting is asked in one question."""
_TIMES = {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0", "LC_ALL": "C"}
"""Times as seconds since 1970, ranges of tasks in full."""


class SlurmClient:
    """Asks Slurm, and has it do things. All of it raises EngineUnavailable where there is no answer."""

    def __init__(self, scheduler: ClusterConfiguration) -> None:
        """Run the tools of this scheduler, in their turn."""
        self._scheduler = scheduler
        self._cluster_of: dict[str, str] = {}

    # --- clusters --------------------------------------------------------------------------------

    @property
    def clusters(self) -> str | None:
        """The clusters that the user has named, None for the one that the tools know by themselves."""
        clusters = self._scheduler.directives.get("clusters")
        if isinstance(clusters, list):
            return ",".join(map(str, clusters))
        return None if clusters is None else str(clusters)

    @property
    def one_cluster(self) -> str | None:
        """The first of them, for tools that can ask one only."""
        clusters = self.clusters
        return clusters.split(",")[0] if clusters and clusters != "all" else None

    def note_cluster(self, array: str, cluster: str | None) -> None:
        """Remember which cluster has an array."""
        if cluster:
            self._cluster_of[array] = cluster

    def _cluster_with(self, array: str) -> str | None:
        return self._cluster_of.get(array) or self.one_cluster

    # --- questions -------------------------------------------------------------------------------

    async def config(self) -> Config:
        """Ask how the controller is set up."""
        answer = await self.ask(commands.show_config(self._tool("scontrol"), self.one_cluster))
        try:
            return parse_config(answer.stdout)
        except ValueError as error:
            raise EngineUnavailable(str(error), command=answer.command) from error

    async def queue(self, *, ended: bool) -> list[Row]:
        """Ask for all jobs of the user; where `ended`, also for those that the controller still lists."""
        argv = commands.squeue(self._tool("squeue"), os.getuid(), self.clusters, ended=ended)
        return list(parse_squeue((await self.ask(argv)).stdout))

    async def accounted(self, ids: JobIds, back: int = LOOK_BACK) -> list[Row]:
        """Ask the accounting about these jobs, of the last so many seconds."""
        return await self._sacct(
            commands.sacct_by_id(self._tool("sacct"), ids, back, self.clusters)
        )

    async def accounted_as(self, names: Iterable[str]) -> list[Row]:
        """Ask the accounting about the jobs of these names."""
        return await self._sacct(
            commands.sacct_by_name(self._tool("sacct"), names, LOOK_BACK, self.clusters)
        )

    async def _sacct(self, argv: Sequence[str]) -> list[Row]:
        return list(parse_sacct((await self.ask(argv)).stdout))

    async def ask(self, argv: Sequence[str]) -> Answer:
        """Run a tool that changes nothing."""
        check_place()
        answer = await self._scheduler.run_tool(argv, _TIMES)
        if answer.returncode != 0:
            raise answer.error(EngineUnavailable, said(answer.stderr))
        return answer

    # --- changes ---------------------------------------------------------------------------------

    async def submit(self, argv: Sequence[str], script: bytes) -> Submitted:
        """Run sbatch. Raises SubmitRejected and SubmitOutcomeUnknown, too."""
        check_place()
        try:
            answer = await self._scheduler.call_engine(argv, script, patient=True)
        except TimeoutError as error:
            raise SubmitOutcomeUnknown("sbatch did not return", command=argv) from error
        if answer.returncode != 0:
            raise answer.refusal(judge_submission(answer.stderr), said(answer.stderr))
        try:
            submitted = parse_sbatch(answer.stdout)
        except ValueError as error:
            raise answer.error(SubmitOutcomeUnknown, str(error)) from error
        self.note_cluster(submitted.id, submitted.cluster)
        return submitted

    async def cancel(self, by_cluster: Mapping[str | None, JobIds]) -> None:
        """End jobs; of those that have ended Slurm complains, and ends the rest."""
        for cluster, ids in by_cluster.items():
            for words in commands.cancel_ids(ids):
                argv = commands.scancel(self._tool("scancel"), words, cluster)
                answer = await self._scheduler.run_tool(argv)
                if judge_submission(answer.stderr) != "rejected":
                    raise answer.error(EngineUnavailable, said(answer.stderr))

    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array may run at once."""
        place = array, limit, self._cluster_with(array)
        await self._change(commands.set_limit(self._tool("scontrol"), *place))

    async def set_excluded(self, array: str, nodes: str) -> None:
        """Keep the tasks of an array that wait from some nodes."""
        place = array, nodes, self._cluster_with(array)
        await self._change(commands.set_excluded(self._tool("scontrol"), *place))

    async def _change(self, argv: Sequence[str]) -> None:
        """Change an array; Slurm complains of tasks that have started or ended, and changes the rest."""
        answer = await self._scheduler.run_tool(argv, patient=True)
        if answer.returncode != 0 and judge_submission(answer.stderr) != "rejected":
            raise answer.error(EngineUnavailable, said(answer.stderr))

    def _tool(self, name: str) -> str:
        return self._scheduler.tools[name]


def check_place() -> None:
    """Raise EngineUnavailable where SLURM_CONF names nothing: the tools would wait a minute for it."""
    place = os.environ.get("SLURM_CONF")
    if place and not os.path.exists(place):
        raise EngineUnavailable(
            f"SLURM_CONF is {place}, which is not there: correct it or unset it"
        )
