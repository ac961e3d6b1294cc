"""How the driver's environment goes along with jobs: in a file that only the user can read."""

from __future__ import annotations

from sched_core import PreviewPart

from ..cluster.configuration import ClusterConfiguration
from ..cluster.tool import GRID_ENGINE_JOB, clean_environment
from .environment import environment_file, environment_name

__all__ = ["CarriedEnvironment"]

_OF_EACH_JOB = GRID_ENGINE_JOB | {"HOSTNAME", "TMP", "TMPDIR", "SGE_ROOT", "SGE_CELL", "SGE_ARCH"}
"""What Grid Engine sets for each job."""


class CarriedEnvironment:
    """Puts the environment where tasks read it, unless the user has said what goes along (`V`)."""

    def __init__(self, scheduler: ClusterConfiguration) -> None:
        """Carry what this scheduler's driver has inherited."""
        self._scheduler = scheduler
        self._written = ""

    @property
    def name(self) -> str:
        """The file's name in the run's folder, empty where nothing goes along."""
        if self._written:
            return self._written
        content = self._content()  # of what is only shown, nothing was written
        return "" if content is None else environment_name(content)

    async def write(self) -> None:
        """Write the file that tasks of the next submission read."""
        content = self._content()
        if content is None:
            return
        session, name = self._scheduler.session, environment_name(content)
        if name != self._written:
            path = f"{session.layout.home}/{name}"
            await session.ports.offload(session.ports.files.write, path, content)
            self._written = name

    def preview(self) -> list[PreviewPart]:
        """Return what a person is told of it, which is no value."""
        content = self._content()
        if content is None:
            return []
        count, mode = content.count(b"\0"), self._scheduler.mode
        where = f"{self._scheduler.session.layout.home}/{environment_name(content)}"
        text = f"{count} variables, in a file of mode {mode:04o}: {where}"
        return [PreviewPart("environment", text)]

    def _content(self) -> bytes | None:
        if "V" in self._scheduler.directives:
            return None
        return environment_file(clean_environment(self._scheduler.inherited()), _OF_EACH_JOB)
