"""The script that a job's tasks run, and their environment: pure text."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["SCRATCH", "Places", "render", "task_variables"]

SCRATCH = "/mnt/vm/tmp"
_LIBRARY = Path(__file__).with_name("batch_task.sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things are on this machine."""

    store: Path
    """Its folders are the buckets."""
    mounted: dict[str, Path] = field(default_factory=dict)
    """Other folders that show a bucket, such as file systems that imitate the mount of one."""
    podman: Sequence[str] = ()
    """The words with which a container is run."""

    def of(self, bucket: str) -> str:
        return str(self.mounted.get(bucket, self.store / bucket))


def render(spec: Any, names: Iterable[str], places: Places, texts: Mapping[int, Path]) -> str:
    """Return the script of all tasks of a job. `names` are the variables that containers get, `texts`
    the files with the texts of scripts.
    """
    lines = [f". {shlex.quote(str(_LIBRARY))}"]
    lines += [_volume(volume, places) for volume in spec.volumes]
    for number, runnable in enumerate(spec.runnables):
        if runnable.WhichOneof("executable") != "barrier":
            words = _words(spec, runnable, names, places, texts.get(number))
            lines += _step(number, runnable, words)
    return "\n".join([*lines, "exit ${failed:-0}\n"])


def _volume(volume: Any, places: Places) -> str:
    where = volume.mount_path.rstrip("/")
    if volume.WhichOneof("source") != "gcs":
        return shlex.join(["disk", where])
    bucket, _, folder = volume.gcs.remote_path.strip("/").partition("/")
    return shlex.join(["bucket", places.of(bucket), folder, where, _marks(volume.mount_options)])


def _marks(options: Iterable[str]) -> str:
    """Return `ro` if that is among the options: `-o ro,allow_other` is one word of them."""
    return "ro" if "ro" in " ".join(options).replace(",", " ").split() else ""


def _step(number: int, runnable: Any, words: str) -> list[str]:
    seconds = runnable.timeout.ToTimedelta().total_seconds()
    limit = str(math.ceil(seconds)) if runnable.HasField("timeout") else ""
    flags = (runnable.always_run, runnable.background, runnable.ignore_exit_status)
    step = [str(number), *("yes" if flag else "no" for flag in flags), limit]
    exports = _exports(runnable.environment.variables)
    return [f"run_{number}() {{ {exports}{words}; }}", shlex.join(["runnable", *step])]


def _exports(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(variables[name])}; " for name in variables)


def _words(
    spec: Any, runnable: Any, names: Iterable[str], places: Places, text: Path | None
) -> str:
    seconds = runnable.timeout.ToTimedelta().total_seconds()
    limit = f"timeout -s KILL {seconds} " if runnable.HasField("timeout") else ""
    if runnable.WhichOneof("executable") == "container":
        inside = {*names, *runnable.environment.variables}
        return f"exec {limit}{_container(spec, runnable, sorted(inside), places)}"
    path = shlex.quote(str(text or runnable.script.path))
    return f"exec {limit}{path}" if text else _script(path, limit)


def _script(path: str, limit: str) -> str:
    return f"script {path}" if not limit else f"exec {limit}/bin/sh {path}"


def _container(spec: Any, runnable: Any, names: Sequence[str], places: Places) -> str:
    container = runnable.container
    volumes = list(container.volumes) or [_shown(volume) for volume in spec.volumes]
    words = [*places.podman, *(f"--env={name}" for name in names)]
    words += [f"--volume={volume}" for volume in volumes]
    if container.entrypoint:
        words += ["--entrypoint", container.entrypoint]
    # A line for a shell, as the service hands it to `docker run`.
    return f"{shlex.join(words)} {container.options} {_image(container)}"


def _image(container: Any) -> str:
    return shlex.join([container.image_uri, *container.commands])


def _shown(volume: Any) -> str:
    return f"{volume.mount_path}:{volume.mount_path}:rw"


def task_variables(job: Any, index: int, attempt: int) -> dict[str, str]:
    """Return what the service puts into a task's environment."""
    group = job.task_groups[0]
    own = group.task_environments[index].variables if group.task_environments else {}
    return {
        **group.task_spec.environments,
        **group.task_spec.environment.variables,
        **own,
        "BATCH_JOB_ID": job.name.rpartition("/")[2],
        "BATCH_JOB_UID": job.uid,
        "BATCH_TASK_COUNT": str(group.task_count),
        "BATCH_TASK_INDEX": str(index),
        "BATCH_TASK_RETRY_ATTEMPT": str(attempt),
    }
