"""What `sched doctor container` looks at. Blocks: offload it."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sched_core import BackendError, SubmitRejected
from sched_core.model.container import Container
from sched_core.model.resources import Resources
from sched_core.text.refusal import refusal

from .engine import engine_of

__all__ = ["Finding", "check_engines", "check_limits"]

Finding = tuple[str, bool | None, str]
"""Name, verdict (None: a warning) and detail."""

_ENGINES = ("docker", "podman", "apptainer", "singularity")
_PATIENCE = 60
_OLDEST_BASH = [4, 2]


@dataclass(frozen=True, slots=True)
class Machine:
    """What of this machine the checks read."""

    root: Path = Path("/")
    uid: int = field(default_factory=os.geteuid)

    @property
    def user(self) -> str:
        """The name of the user, the number for one without a name."""
        with suppress(KeyError):
            return pwd.getpwuid(self.uid).pw_name
        return str(self.uid)

    def read(self, path: str) -> str:
        """Return what a file says, nothing where it cannot be read."""
        with suppress(OSError):
            return (self.root / path).read_text(errors="replace")
        return ""

    def exists(self, path: str) -> bool:
        """Tell whether a file is there."""
        return (self.root / path).exists()


def check_engines(
    container: Container, *, has_image: bool = True, machine: Machine | None = None
) -> Sequence[Finding]:
    """Check what is installed, the container's engine and, where one was named, its image."""
    machine = machine or Machine()
    found = [_installed()]
    said, well = _asked([container.engine, *_VERSION[container.kind]])
    if not well:
        return [*found, ("engine", False, refusal(container.kind, said))]
    found.append(("engine", True, _version(container, said)))
    info = {} if container.kind == "apptainer" else _info(container)
    if info or container.kind == "apptainer":
        found.append(_limits(container, info, machine))
    if _is_rootless(container, info, machine):
        found += _rootless(container, machine)
    return [*found, *(_image(container) if has_image else ())]


# --- engines -----------------------------------------------------------------------------------------

_VERSION: Mapping[str, Sequence[str]] = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version", "--format", "{{.Client.Version}}"),
    "apptainer": ("--version",),
}


def _installed() -> Finding:
    there = []
    for name in _ENGINES:
        if (path := shutil.which(name)) is not None:
            said, well = _asked([path, "--version"])
            number = re.search(r"\d+(\.\d+)+", said)
            there.append(f"{name} {number[0]}" if well and number else f"{name}, which fails")
    if not there:
        return "engines", False, f"there is none of {', '.join(_ENGINES)}: install one"
    return "engines", True, ", ".join(there)


def _version(container: Container, said: str) -> str:
    number = re.search(r"\d+(\.\d+)+\S*", said)
    return f"{shutil.which(container.engine)} answers: {number[0] if number else said.strip()}"


def _info(container: Container) -> Mapping[str, Any]:
    said, well = _asked([container.engine, "info", "--format", "{{json .}}"])
    with suppress(ValueError):
        info = json.loads(said) if well else {}
        return info if isinstance(info, dict) else {}
    return {}


def _asked(words: Sequence[str]) -> tuple[str, bool]:
    """Return what a program says, and whether it did well."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        return f"{words[0]} is not there", False
    except (OSError, subprocess.SubprocessError) as error:
        return str(error), False
    return (done.stderr, False) if done.returncode else (done.stdout, True)


# --- limits ------------------------------------------------------------------------------------------

_CURE = "have systemd delegate cgroups v2 to you"


def check_limits(container: Container, wanted: Resources, machine: Machine | None = None) -> None:
    """Raise SubmitRejected where the engine would leave limits out without a word."""
    limited = {"memory": wanted.memory, "cpus": wanted.cpus}
    machine = machine or Machine()
    if container.kind != "podman" or not machine.uid or not any(limited.values()):
        return
    info = _info(container)
    missing = _not_delegated(container, info, machine) if info else []
    if refused := [what for what in missing if limited[what] is not None]:
        what = " and ".join(refused)
        raise SubmitRejected(
            f"{container.engine} without root does not enforce {what} here; {_CURE}, or leave "
            f"{what} out of resources"
        )


def _limits(container: Container, info: Mapping[str, Any], machine: Machine) -> Finding:
    """Tell whether `resources` are limits there."""
    if container.kind == "docker":
        fields = {"memory": "MemoryLimit", "cpus": "CpuCfsQuota"}
        missing = [what for what, name in fields.items() if info.get(name) is False]
    else:
        missing = _not_delegated(container, info, machine)
    if not missing:
        return "limits", True, "memory and cpus are enforced"
    what = " and ".join(missing)
    if container.kind == "docker":
        return "limits", None, f"the kernel cannot limit {what}: leave that out of resources"
    return "limits", None, f"no {what} in resources: {_CURE}"


def _not_delegated(container: Container, info: Mapping[str, Any], machine: Machine) -> list[str]:
    if machine.uid == 0:
        return []
    host = info.get("host") or {}
    if container.kind == "podman":
        controllers = host.get("cgroupControllers") or ()
        if host.get("cgroupVersion") != "v2":
            controllers = ()
    else:
        controllers = machine.read("sys/fs/cgroup/cgroup.controllers").split()
    return [
        what
        for what, name in {"memory": "memory", "cpus": "cpu"}.items()
        if name not in controllers
    ]


# --- rootless ----------------------------------------------------------------------------------------


def _is_rootless(container: Container, info: Mapping[str, Any], machine: Machine) -> bool:
    if container.kind == "docker":
        return any("rootless" in str(option) for option in info.get("SecurityOptions") or ())
    return machine.uid != 0


def _rootless(container: Container, machine: Machine) -> Iterator[Finding]:
    yield _user_namespaces(machine)
    if container.kind != "apptainer":
        yield _user_ranges(machine)


def _user_namespaces(machine: Machine) -> Finding:
    name = "user namespaces"
    if machine.read("proc/sys/user/max_user_namespaces").strip() == "0":
        return name, False, "there are none: set the sysctl user.max_user_namespaces"
    if machine.read("proc/sys/kernel/unprivileged_userns_clone").strip() == "0":
        return name, False, "only for root: set the sysctl kernel.unprivileged_userns_clone=1"
    if machine.read("proc/sys/kernel/apparmor_restrict_unprivileged_userns").strip() == "1":
        return name, None, "restricted by AppArmor: the engine needs a profile that allows them"
    return name, True, "can be made"


def _user_ranges(machine: Machine) -> Finding:
    """Containers have users of their own, of which the range of the caller's must hold enough."""
    missing = [name for name in ("subuid", "subgid") if not _has_range(machine, f"etc/{name}")]
    if missing:
        files = " and ".join(f"/etc/{name}" for name in missing)
        repair = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {machine.user}"
        return "users", None, f"no range for {machine.user} in {files}: {repair}"
    programs = [name for name in ("newuidmap", "newgidmap") if shutil.which(name) is None]
    if programs:
        return "users", False, f"there is no {' and no '.join(programs)}: install uidmap"
    return "users", True, f"{machine.user} has a range of its own in /etc/subuid and /etc/subgid"


def _has_range(machine: Machine, path: str) -> bool:
    owners = {line.split(":")[0] for line in machine.read(path).splitlines()}
    return not owners.isdisjoint({machine.user, str(machine.uid)})


# --- the image ---------------------------------------------------------------------------------------


def _image(container: Container) -> Iterator[Finding]:
    """Check that the image is here, and that its bash can be run."""
    engine = engine_of(container)
    try:
        here = engine.has_image()
    except BackendError as error:
        yield "image", False, str(error)
        return
    if not here:
        yield "image", None, f"{container.image} is not here: it is fetched before the first job"
        return
    yield "image", True, container.image
    said, well = _asked(engine.bash_words('echo "$BASH_VERSION"'))
    if not well:
        yield "bash", False, refusal(container.kind, said)
        return
    new = [int(number) for number in re.findall(r"\d+", said)[:2]] >= _OLDEST_BASH
    needed = "" if new else "; jobs need 4.2 or newer: name another image, or an entrypoint of it"
    yield "bash", new, f"{container.entrypoint[0]} is {said.strip() or 'no bash'}{needed}"
