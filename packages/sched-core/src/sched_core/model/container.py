"""What a job's command runs in, where that is not the machine itself."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ..errors import OptionError

__all__ = ["Container", "EngineKind"]

EngineKind = Literal["docker", "podman", "apptainer"]

_KINDS: Mapping[str, EngineKind] = {
    "docker": "docker",
    "podman": "podman",
    "apptainer": "apptainer",
    "singularity": "apptainer",
}
_PULLS = ("missing", "never", "always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The container of a job.

    - `image`: as the engine names it; for Apptainer also a file or a folder.
    - `engine`: docker, podman, apptainer or singularity, or the path of such a program.
    - `volumes`: what is mounted, as in "/ref:/ref:ro", or "DATA=/data": that appears at
      /mnt/disks/DATA, and the variable DATA holds that path.
    - `entrypoint`: the bash that the image has, with its arguments.
    - `user`: whom the command runs as, "UID:GID" or a name; by default the caller. Not for Apptainer.
    - `pull`: when the image is fetched: missing, never, always.
    - `args`: further words for the engine's command.
    - `remove`: whether it is removed when it has ended. Apptainer keeps none.
    - `reuse`: whether one container serves job after job, where jobs are processes of this machine.
      Each still has its own environment and directory, and ends with all it has started; files that
      it leaves outside of the volumes, such as in /tmp, are there for the next.
    """

    image: str
    engine: str = "docker"
    volumes: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ("/bin/bash",)
    user: str | None = None
    pull: Literal["missing", "never", "always"] = "missing"
    args: tuple[str, ...] = ()
    remove: bool = True
    reuse: bool = False

    def __post_init__(self) -> None:
        """Refuse what no engine takes. Raises OptionError."""
        if not isinstance(self.image, str) or not self.image or self.image.startswith("-"):
            raise OptionError(f"container: {self.image!r} is no name of an image")
        if not isinstance(self.engine, str) or os.path.basename(self.engine) not in _KINDS:
            known = ", ".join(_KINDS)
            raise OptionError(f"container: the engine {self.engine!r} is none of {known}")
        if self.pull not in _PULLS:
            raise OptionError(f"container: pull {self.pull!r} is none of {', '.join(_PULLS)}")
        if not self.entrypoint:
            raise OptionError("container: the entrypoint is empty; leave it out for /bin/bash")
        if self.kind == "apptainer" and self.user is not None:
            raise OptionError("container: apptainer runs commands as the caller: leave user out")

    @property
    def kind(self) -> EngineKind:
        """Which engine it is, by the name of its program."""
        return _KINDS[os.path.basename(self.engine)]

    @classmethod
    def from_value(cls, value: object, default: Container | None = None) -> Container | None:
        """Return the container that a user's value means: an image, or a mapping of these fields.

        What a mapping or an image leaves open is as in `default`. Raises OptionError.
        """
        if value is None or isinstance(value, Container):
            return value
        given = {"image": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise OptionError(f"container {value!r}: give an image, or a mapping of {_known()}")
        checked = {str(name): _checked(str(name), given[name]) for name in given}
        if default is not None:
            return replace(default, **checked)
        if "image" not in checked:
            raise OptionError("container: it has no image")
        return cls(**checked)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_value` makes the container of again."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {f.name: f.default for f in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value != plain[name]
        }


def _known() -> str:
    return ", ".join(f.name for f in fields(Container))


def _checked(name: str, value: Any) -> Any:
    names = [f.name for f in fields(Container)]
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {_known()}"
        raise OptionError(f"container: it has no {name!r}; {hint}")
    if name in ("volumes", "args", "entrypoint"):
        return _words(name, value)
    if name in ("remove", "reuse") and not isinstance(value, bool):
        raise OptionError(f"container: {name} {value!r} is neither true nor false")
    if name == "user":
        return _user(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _user(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    raise OptionError(f"container: user {value!r} is no name or number of a user")


def _words(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(shlex.split(value)) if name != "volumes" else (value,)
    if isinstance(value, Sequence) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise OptionError(f"container: {name} {value!r} is no list of texts")
