"""Other programs that run commands, each as its own manual shows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .measuring import Environment, Failed, timed

__all__ = [
    "NOT_INSTALLED",
    "Peer",
    "find_peers",
    "install_peers",
    "peer_folders",
    "peer_python",
    "peer_version",
    "run_peer",
]

NOT_INSTALLED = "not installed (--install-peers)"

_SCRIPTS = Path(__file__).with_name("peer.py")
_PACKAGES = ("xqute", "psij-python", "parsl", "submitit", "hyperqueue")


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them: `run(jobs, slots, folder)` returns seconds."""

    name: str
    jobs: int
    run: Callable[[int, int, Path], float]
    version: str = ""
    note: str = ""
    problem: str = ""
    """Why it cannot be run."""


def find_peers() -> list[Peer]:
    """Return all peers, those that are not installed with that as their problem."""
    return [_parallel(), *map(_python_peer, _PYTHON_PEERS)]


def _parallel() -> Peer:
    name, note = "GNU parallel", "--joblog --results"
    path = shutil.which("parallel")
    said = _output([path, "--version"]) if path else ""
    if path is None or not said.startswith("GNU parallel"):
        return Peer(name, 0, _not_there, problem="not installed")

    def run(jobs: int, slots: int, folder: Path) -> float:
        options = f"-j{slots} --joblog log --results results -N0 --will-cite"
        return timed(["sh", "-c", f"seq {jobs} | {path} {options} /bin/true"], folder)

    return Peer(name, 1000, run, said.split("\n")[0].split()[-1], note)


_PYTHON_PEERS = (
    ("xqute", 20, "forks 2, polls each second"),
    ("psij-python", 500, "LocalJobExecutor, two jobs at a time"),
    ("parsl", 1000, "bash apps on threads, each by a shell"),
    ("submitit", 20, "LocalExecutor, a Python a job, two at a time"),
)


def _python_peer(described: tuple[str, int, str]) -> Peer:
    name, jobs, note = described
    version = peer_version(name)
    if not version:
        return Peer(name, 0, _not_there, problem=NOT_INSTALLED)

    def run(jobs: int, slots: int, folder: Path) -> float:
        return float(run_peer(name, jobs, slots, folder)["seconds"])

    return Peer(name, jobs, run, version, note)


def peer_version(name: str) -> str:
    """Return the version of a peer of Python, nothing where it is not installed."""
    ask = f"import importlib.metadata as m; print(m.version({name!r}))"
    return _output([str(peer_python()), "-c", ask]).strip() if peer_python().exists() else ""


def peer_folders() -> list[Path]:
    """Return the folders without which the peers' Python cannot run elsewhere."""
    ask = "import sys; print(sys.prefix, sys.base_prefix, sep='\\n')"
    return [
        Path(line) for line in dict.fromkeys(_output([str(peer_python()), "-c", ask]).splitlines())
    ]


def run_peer(
    name: str,
    jobs: int,
    slots: int,
    folder: Path,
    env: Environment | None = None,
    limit: float = 300,
) -> Mapping[str, float]:
    """Run a function of peer.py; return seconds and CPU. Raises Failed.

    Each imports for a second or so, which a program pays once: it takes its own time.
    """
    file = folder / "took.json"
    command = [str(peer_python()), str(_SCRIPTS), name, str(jobs), str(slots), file.name]
    timed(command, folder, limit, env)
    try:
        took: Mapping[str, float] = json.loads(file.read_text())
    except (OSError, ValueError):
        raise Failed("it did not say how long it took") from None
    return took


def _not_there(jobs: int, slots: int, folder: Path) -> float:
    raise Failed("it is not installed")


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


# --- installing them ------------------------------------------------------------------------------


def _home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return Path(cache) / "sched-bench" / f"peers-{version}"


def peer_python() -> Path:
    """Return where the peers' Python is, or would be."""
    return _home() / "bin" / "python"


def install_peers() -> None:
    """Install the peers of Python beside each other, and Debian's parallel where that is allowed."""
    home = _home()
    print(f"Installing {', '.join(_PACKAGES)} in {home}", file=sys.stderr)
    venv.create(home, clear=True, with_pip=True)
    for package in _PACKAGES:
        _try([str(peer_python()), "-m", "pip", "install", "--quiet", package])
    if shutil.which("parallel") is None:
        _install_parallel()


def _install_parallel() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("  GNU parallel: apt-get install parallel, as root", file=sys.stderr)
        return
    _try(["apt-get", "update", "-qq"])
    _try(["apt-get", "install", "-qq", "--no-install-recommends", "parallel"])


def _try(command: Sequence[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, env=environment, stdout=sys.stderr)
    if done.returncode:
        print(f"  {' '.join(command)} ended with {done.returncode}", file=sys.stderr)
