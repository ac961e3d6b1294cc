"""The words with which a container engine is told to run a job's script. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import OptionError
from ..model.container import Container, EngineKind
from ..model.resources import Resources
from ..paths import Mount

__all__ = ["ContainerScript", "container_script", "legal_name"]

LABEL = "sched.run"
"""The label of a run's containers; its value is the run's id."""
_KEPT = "sched.kept"
"""The label of those that are not to be removed."""

_ODD = re.compile(r"[^a-zA-Z0-9_.-]")
_LONGEST = 200


def legal_name(name: str) -> str:
    """Return a container's name as engines take it; the end, which tells one from another, is kept."""
    legal = _ODD.sub("_", name)[-_LONGEST:]
    return legal if legal[0].isalnum() else f"c{legal[1:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerScript:
    """What a job's script says of its container.

    `start` are the client's words up to the image, `image` those after them; the script itself,
    as it is seen inside (`script`), follows. `name` is empty where the engine knows none, and the
    beginning of the container's name where it is kept for further jobs (`reuse`).
    """

    kind: EngineKind
    client: str
    name: str
    user: str
    start: Sequence[str]
    image: Sequence[str]
    script: str
    reuse: bool = False


def container_script(
    container: Container,
    *,
    name: str,
    run: str,
    script: str,
    mounts: Sequence[Mount],
    wanted: Resources,
) -> ContainerScript:
    """Return how a job's script is run in the container.

    `mounts` hold the run's folder, and `script` lies in it, as it is seen inside.
    Raises OptionError for what the engine cannot do.
    """
    if container.kind == "apptainer":
        start = _apptainer(container, mounts, wanted)
        image: list[str] = [container.image, *container.entrypoint]
        name = ""
    else:
        start = _docker(container, run, mounts, wanted)
        start += ["--entrypoint", container.entrypoint[0]]
        image = [container.image, *container.entrypoint[1:]]
    return ContainerScript(
        kind=container.kind,
        client=container.engine,
        name=name,
        user=container.user or "",
        start=[*start, *container.args],
        image=image,
        script=script,
        reuse=container.reuse,
    )


def _docker(
    container: Container, run: str, mounts: Sequence[Mount], wanted: Resources
) -> list[str]:
    words = [
        container.engine,
        "run",
        "--init",
        "--label",
        f"{LABEL if container.remove else _KEPT}={run}",
    ]
    # The job's files hold what it says: a log of the engine's own would only be a second copy.
    words += ["--rm", "--log-driver", "none"] if container.remove else []
    words += ["--interactive"] if container.reuse else []
    words += ["--pull", container.pull]
    for mount in mounts:
        words += ["--mount", _mount(mount)]
    if wanted.cpus is not None:
        words += ["--cpus", f"{wanted.cpus:g}"]
    if wanted.memory is not None:
        words += ["--memory", str(wanted.memory), "--memory-swap", str(wanted.memory)]
    if wanted.gpus:
        if container.kind == "podman":
            raise OptionError("podman has no gpus of its own: give args=['--device', ...] for them")
        # A number would be that many of the first: which are the job's, CUDA_VISIBLE_DEVICES says.
        words += ["--gpus", "all"]
    return words


def _mount(mount: Mount) -> str:
    """Return a mount in the engines' CSV: a path may hold commas and quotes."""
    _check_name(mount.source)
    _check_name(mount.target)
    fields = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
    if mount.read_only:
        fields.append("readonly")
    text = io.StringIO()
    csv.writer(text).writerow(fields)
    return text.getvalue().removesuffix("\r\n")


def _check_name(path: str) -> None:
    """Refuse what engines would take for another name: between client and engine names are JSON."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise OptionError(
            f"a container cannot have the folder {path!r}: its name is not UTF-8; rename it, or use another"
        ) from error


def _apptainer(container: Container, mounts: Sequence[Mount], wanted: Resources) -> list[str]:
    words = [container.engine, "--silent", "exec", "--containall"]
    if container.pull == "always":
        words.append("--disable-cache")
    for mount in mounts:
        words += ["--mount", _mount(mount).replace(",readonly", ",ro")]
    if wanted.gpus:
        words.append("--nv")
    limits: Mapping[str, float | None] = {"cpus": wanted.cpus, "memory": wanted.memory}
    for what, value in limits.items():
        if value is not None:
            words += [f"--{what}", f"{value:g}" if what == "cpus" else str(value)]
    return words
