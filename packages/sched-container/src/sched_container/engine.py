"""What is asked of an engine besides running jobs. Blocks: offload it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from sched_core import EngineUnavailable, SubmitRejected
from sched_core.model.container import Container
from sched_core.text.container import LABEL
from sched_core.text.refusal import is_unavailable, refusal

if TYPE_CHECKING:
    from python_on_whales import DockerClient

__all__ = ["Engine", "engine_of"]

T = TypeVar("T")


def engine_of(container: Container) -> Engine:
    """Return the engine of the container's kind."""
    return Apptainer(container) if container.kind == "apptainer" else Engine(container)


class Engine:
    """Docker or Podman."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._program = container.engine

    def fetch(self) -> None:
        """Have the image. Raises EngineUnavailable, SubmitRejected with the engine's own words."""
        image = self._container.image
        if self._container.pull == "always" or not self.has_image():
            self._ask(lambda client: client.image.pull(image, quiet=True))

    def has_image(self) -> bool:
        """Tell whether the image is here. Raises as `fetch` does where it never will be."""
        image = self._container.image
        if self._ask(lambda client: _has(client, image)):
            return True
        if self._container.pull == "never":
            raise self._refusal(f"No such image: {image}")
        return False

    def bash_words(self, text: str) -> list[str]:
        """Return the words that run a line of bash in the image, which is here."""
        container = self._container
        first, *more = container.entrypoint
        words = [self._program, "run", "--rm", "--pull", "never", *container.args]
        return [*words, "--entrypoint", first, container.image, *more, "-c", text]

    def clear(self, run: str, keep: Callable[[str], bool] | None = None) -> None:
        """End and remove the run's containers, but those whose name is one to keep.

        Raises EngineUnavailable, SubmitRejected.
        """
        left = self._ask(lambda client: _containers(client, run, keep))
        if left:
            self._ask(lambda client: _remove(client, left))

    def _ask(self, question: Callable[[DockerClient], T]) -> T:
        from python_on_whales import DockerClient
        from python_on_whales.exceptions import DockerException

        self._find()
        podman = self._container.kind == "podman"
        client = DockerClient(
            client_call=[self._program], client_type="podman" if podman else "docker"
        )
        try:
            return question(client)
        except DockerException as error:
            raise self._refusal(error.stderr or str(error)) from error

    def _find(self) -> None:
        """Raise SubmitRejected where there is no such program."""
        if shutil.which(self._program) is None:
            raise self._refusal(f"{self._program} is not there")

    def _refusal(self, said: str) -> EngineUnavailable | SubmitRejected:
        kind = EngineUnavailable if is_unavailable(said) else SubmitRejected
        return kind(refusal(self._container.kind, said), stderr=said)


class Apptainer(Engine):
    """Apptainer or Singularity: its containers are plain processes, of which it knows nothing."""

    def fetch(self) -> None:
        """Have the image, where it is not a file, in the engine's cache."""
        if self.has_image():
            return
        # Any run fetches it; several at once would do so several times.
        words = self.bash_words(":")
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise self._refusal(done.stderr.decode("utf-8", "replace"))

    def has_image(self) -> bool:
        """Tell whether it is a file that is here, or one to be fetched. Raises SubmitRejected."""
        self._find()
        image = self._container.image
        if "://" in image:
            if self._container.pull == "never":
                raise self._refusal(f"No such image: {image}")
            return False
        if not os.path.exists(image):
            raise self._refusal(f"could not open image {image}")
        return True

    def bash_words(self, text: str) -> list[str]:
        """Return the words that run a line of bash in the image."""
        container = self._container
        words = [self._program, "--silent", "exec", "--containall", *container.args]
        return [*words, container.image, *container.entrypoint, "-c", text]

    def clear(self, run: str, keep: Callable[[str], bool] | None = None) -> None:
        """Do nothing: no container outlives its client."""


def _has(client: DockerClient, image: str) -> bool:
    import pydantic

    try:
        return client.image.exists(image)
    except pydantic.ValidationError:
        return True  # the engine has described it, in some way of its own


def _containers(
    client: DockerClient, run: str, keep: Callable[[str], bool] | None
) -> Sequence[str]:
    from python_on_whales.exceptions import NoSuchContainer

    left = []
    for container in client.ps(all=True, filters=[("label", f"{LABEL}={run}")]):
        # Its id is known; to hear its name is one more question, each by a program of its own.
        with contextlib.suppress(NoSuchContainer):
            if keep is None or not keep(container.name):
                left.append(container.id)
    return left


def _remove(client: DockerClient, containers: Sequence[str]) -> None:
    """Remove them, unless somebody else has or does, such as the engine after their end (`--rm`)."""
    from python_on_whales.exceptions import DockerException

    try:
        client.container.remove(list(containers), force=True)
    except DockerException as error:
        said = (error.stderr or str(error)).lower().splitlines()
        if not all("no such container" in line or "already in progress" in line for line in said):
            raise
