"""Real container engines, each with its state in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ..daemons import Daemon, EngineMissing, need_installed, need_programs, until
from .image import archive_of
from .registry import Registry

__all__ = ["Apptainer", "Docker", "Engine", "Podman", "Rootless", "containers_conf"]


class Engine(Protocol):
    """An engine under test."""

    name: str
    image: str
    at_once: Sequence[str]
    """Words of `rm` for an end without TERM before it."""
    env: Mapping[str, str]
    """Variables by which its client finds it."""
    options: Mapping[str, Any]
    """Of a ContainerScheduler that uses it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def run(self, *words: str) -> str: ...

    def left(self) -> list[str]: ...

    def of(self, registry: Registry) -> str:
        """Return what the registry's image is called, which may be fetched without encryption."""


class _Client:
    name: str
    env: Mapping[str, str]
    options: Mapping[str, Any]

    def of(self, registry: Registry) -> str:
        return registry.image

    def run(self, *words: str) -> str:
        """Run the client and return what it says. Raises with its own words where it fails."""
        done = subprocess.run(
            [self.name, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.env},
        )
        if done.returncode:
            raise RuntimeError(f"{self.name} {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def left(self) -> list[str]:
        """Return the containers that there are, running or not."""
        return self.run("ps", "-aq").split()


class Docker(_Client):
    """A Docker daemon that makes no networks: the machine's own stay as they are."""

    name = "docker"
    at_once: Sequence[str] = ()
    image = "sched-test:latest"

    def __init__(self, root: Path, tree: Path) -> None:
        need_programs(dockerd="docker.io", containerd="containerd", docker="docker.io")
        self._root, self._tree = root, tree
        self._socket = f"unix://{root}/docker.sock"
        self.env = {"DOCKER_HOST": self._socket, "DOCKER_CONFIG": f"{root}/config"}
        self.options = {"image": self.image, "bin": "docker", "bin_args": ["--network", "none"]}
        self.daemon = Daemon("dockerd", self._argv(), root / "dockerd.log", dict(os.environ))

    def _argv(self) -> list[str]:
        folders = {"data-root": "data", "exec-root": "exec", "pidfile": "dockerd.pid"}
        places = [f"--{option}={self._root}/{name}" for option, name in folders.items()]
        alone = [f"--{what}=false" for what in ("iptables", "ip6tables", "ip-forward", "ip-masq")]
        return ["dockerd", *places, f"--host={self._socket}", "--bridge=none", *alone]

    def start(self) -> None:
        (self._root / "config").mkdir()
        (self._root / "config/config.json").write_text("{}")
        self._begin()
        self.run("import", str(archive_of(self._tree)), self.image)

    def _begin(self) -> None:
        self.daemon.start()
        try:
            until(self._answers, "dockerd answers")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self.daemon.last_words()}") from None

    def restart(self) -> None:
        """Start the daemon again after it was killed."""
        # Its helper ends with it, and another daemon's would wait for that one's lock.
        helper = self._root / "exec/containerd/containerd.pid"
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int(helper.read_text())
            until(lambda: not Path(f"/proc/{pid}").exists(), "containerd has ended")
        (self._root / "dockerd.pid").unlink(missing_ok=True)
        self._begin()

    def _answers(self) -> bool:
        with contextlib.suppress(RuntimeError):
            return bool(self.run("version", "--format", "{{.Server.Version}}"))
        return False

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            if left := self.left():
                self.run("rm", "-f", *left)
        self.daemon.stop()
        for pid in _processes_of(self._root):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not _processes_of(self._root), "what dockerd has started has ended")
        _unmount(self._root)


class Podman(_Client):
    """Podman as root, which is no daemon."""

    name = "podman"
    at_once: Sequence[str] = ("-t", "0")
    image = "localhost/sched-test:latest"
    runtime: ClassVar[str] = "runc"
    storage: ClassVar[str] = "graphroot"

    def __init__(self, root: Path, tree: Path) -> None:
        self._need()
        self._root, self._tree = root, tree
        self.env = {
            "CONTAINERS_CONF": f"{root}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{root}/storage.conf",
            "CONTAINERS_REGISTRIES_CONF": f"{root}/registries.conf",
        }
        self.options = {"image": self.image, "bin": "podman", "bin_args": ["--network", "none"]}

    def _need(self) -> None:
        need_programs(podman="podman", runc="runc", conmon="conmon", catatonit="catatonit")

    def start(self) -> None:
        (self._root / "containers.conf").write_text(containers_conf(self.runtime, self._notes()))
        (self._root / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\n{self.storage} = "{self._root}/data"\n'
            f'runroot = "{self._root}/run"\n'
        )
        (self._root / "registries.conf").touch()
        self.run("import", "--quiet", str(archive_of(self._tree)), self.image)

    def _notes(self) -> str:
        return f"{self._root}/tmp"

    def of(self, registry: Registry) -> str:
        (self._root / "registries.conf").write_text(
            f'[[registry]]\nlocation = "{registry.address}"\ninsecure = true\n'
        )
        return registry.image

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.run("rm", "--force", "--all", "--time", "0")
        _unmount(self._root)


class Rootless(Podman):
    """Podman of a user without rights."""

    storage: ClassVar[str] = "rootless_storage_path"

    def _need(self) -> None:
        if not os.geteuid():
            raise EngineMissing("root cannot be without rights: see test_rootless.py")
        if "XDG_RUNTIME_DIR" not in os.environ:
            raise EngineMissing("XDG_RUNTIME_DIR is not set: Podman has no place for what it runs")
        need_installed(podman="podman", runc="runc", conmon="conmon", newuidmap="uidmap")

    def _notes(self) -> str:
        return f"{os.environ['XDG_RUNTIME_DIR']}/libpod/tmp"

    def stop(self) -> None:
        super().stop()
        # What users in containers own is not this user's.
        data = f"{self._root}/data"
        self.run("unshare", "sh", "-c", 'umount -l "$1/overlay"; rm -rf "$1"', "sh", data)


class Apptainer(_Client):
    """Apptainer, of which nothing is left when a command has ended."""

    name = "apptainer"
    at_once: Sequence[str] = ()

    def __init__(self, root: Path, tree: Path) -> None:
        self.env = {"APPTAINER_CACHEDIR": f"{root}/cache", "APPTAINER_NOHTTPS": "1"}
        if shutil.which("apptainer") is None:
            raise EngineMissing("apptainer is not installed: .ci/apptainer installs it")
        self.image = str(tree)
        self.options = {"image": self.image, "bin": "apptainer"}

    def start(self) -> None:
        self.run("exec", "--containall", self.image, "/bin/true")

    def of(self, registry: Registry) -> str:
        return f"docker://{registry.image}"

    def stop(self) -> None:
        """Leave nothing: there is no daemon."""

    def left(self) -> list[str]:
        return []


def containers_conf(runtime: str, folder: str) -> str:
    """Return a configuration without systemd and without more rights than the tests have.

    `folder` is for what Podman itself notes of what runs: no two may share it.
    """
    limits = {
        name: resource.getrlimit(number)[1]
        for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
    }
    most = {"nofile": 1 << 20, "nproc": int(Path("/proc/sys/kernel/pid_max").read_text())}
    ulimits = [
        f"{name}={limit}:{limit}"
        for name, hard in limits.items()
        for limit in [most[name] if hard == resource.RLIM_INFINITY else min(hard, most[name])]
    ]
    return (
        f'[containers]\ndefault_ulimits = {json.dumps(ulimits)}\nnetns = "none"\n'
        'log_driver = "k8s-file"\n'
        f'[engine]\nruntime = "{runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        # What locks by memory is one for all of a user's Podmans, whatever their folders.
        f'lock_type = "file"\ntmp_dir = "{folder}"\n'
    )


def _processes_of(root: Path) -> list[int]:
    """Return the processes whose words name something below an engine's folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if f"{root}/".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found


def _unmount(root: Path) -> None:
    """Unmount what an engine has left mounted below its folder."""
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        target = line.split(" ")[1].encode().decode("unicode_escape")
        if target.startswith(f"{root}/"):
            subprocess.run(["umount", "--lazy", target], check=False)
