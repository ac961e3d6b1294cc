"""What is asked of an engine besides running jobs. Blocks: offload it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sched_core import EngineUnavailable, SubmitRejected
from sched_core.model.container import Container
from sched_core.text.container import LABEL

if TYPE_CHECKING:
    from python_on_whales import DockerClient

__all__ = ["Engine", "engine_of"]

Finding = tuple[str, bool | None, str]


def engine_of(container: Container) -> Engine:
    """Return the engine of the container's kind."""
    return Apptainer(container) if container.kind == "apptainer" else Engine(container)


class Engine:
    """Docker or Podman."""

    def __init__(self, container: Container) -> None:
        self._program, self._kind = container.engine, container.kind

    def _client(self) -> DockerClient:
        from python_on_whales import DockerClient

        if shutil.which(self._program) is None:
            raise EngineUnavailable(
                f"{self._program} is not there: install it, or name another engine with bin"
            )
        kind = "podman" if self._kind == "podman" else "docker"
        return DockerClient(client_call=[self._program], client_type=kind)

    def fetch(self, image: str, *, always: bool) -> None:
        """Have the image. Raises EngineUnavailable, SubmitRejected with the engine's own words."""
        from python_on_whales.exceptions import DockerException

        client = self._client()
        try:
            if always or not client.image.exists(image):
                client.image.pull(image, quiet=True)
        except DockerException as error:
            raise _judged(error) from error

    def running(self, run: str) -> Mapping[str, str]:
        """Return the run's containers: state by name. Raises EngineUnavailable."""
        from python_on_whales.exceptions import DockerException

        client = self._client()
        try:
            found = client.ps(all=True, filters=[("label", f"{LABEL}={run}")])
            return {one.name: str(one.state.status) for one in found}
        except DockerException as error:
            raise _judged(error) from error

    def remove(self, names: Collection[str]) -> None:
        """End and remove containers. Raises EngineUnavailable."""
        from python_on_whales.exceptions import DockerException

        if not names:
            return
        try:
            self._client().container.remove(list(names), force=True)
        except DockerException as error:
            raise _judged(error) from error

    def check(self, image: str) -> Sequence[Finding]:
        """Return name, verdict (None: a warning) and detail of each check."""
        try:
            client = self._client()
            version = client.version()
            present = client.image.exists(image)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it is the finding
            return [("engine", False, f"{self._program}: {_words(error)}")]
        server = version.server.version if version.server else version.client.version
        return [
            ("engine", True, f"{shutil.which(self._program)} {server}"),
            ("image", True if present else None, image if present else f"{image} is not here yet"),
        ]


class Apptainer(Engine):
    """Apptainer or Singularity: there is nothing to be asked, its containers are plain processes."""

    def fetch(self, image: str, *, always: bool) -> None:
        """Check that an image that is a file is there; others are fetched by the engine's cache."""
        if shutil.which(self._program) is None:
            raise EngineUnavailable(
                f"{self._program} is not there: install it, or name another engine with bin"
            )
        if image.startswith(("/", "./", "../")) and not os.path.exists(image):
            raise SubmitRejected(f"the image {image} is not there")

    def running(self, run: str) -> Mapping[str, str]:
        """Return nothing: no container outlives its client."""
        return {}

    def check(self, image: str) -> Sequence[Finding]:
        """Return name, verdict and detail of each check."""
        try:
            self.fetch(image, always=False)
            found = subprocess.run(
                [self._program, "--version"], capture_output=True, text=True, timeout=30, check=True
            )
        except (EngineUnavailable, SubmitRejected, OSError, subprocess.SubprocessError) as error:
            return [("engine", False, str(error))]
        return [("engine", True, found.stdout.strip()), ("image", True, image)]


def _judged(error: Exception) -> EngineUnavailable | SubmitRejected:
    words = _words(error)
    if "Cannot connect" in words or "permission denied while trying" in words:
        return EngineUnavailable(f"{words}; start it, or join its group")
    return SubmitRejected(words)


def _words(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    text = said if isinstance(said, str) and said.strip() else str(error)
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
