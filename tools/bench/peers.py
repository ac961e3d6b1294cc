"""Other programs that run commands, each as its own manual shows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from .measuring import Environment, Failed, timed

__all__ = [
    "NOT_INSTALLED",
    "install_peers",
    "parallel_version",
    "peer_folders",
    "peer_python",
    "peer_version",
    "program_version",
    "run_peer",
]

NOT_INSTALLED = "not installed (--install-peers)"

_TAKE = Path(__file__).parent / "theirs" / "take.py"
_PACKAGES = ("xqute[gs]", "psij-python", "parsl", "submitit", "hyperqueue", "executorlib[cluster]")


def program_version(*command: str) -> str:
    """Return the first line in which a program tells of itself, nothing where it is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return next(iter((done.stdout + done.stderr).splitlines()), "")


def parallel_version() -> str:
    """Return the version of GNU parallel, nothing where it is missing: others have the name, too."""
    said = program_version("parallel", "--version")
    return said.rpartition(" ")[2] if said.startswith("GNU parallel") else ""


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
) -> tuple[float, float]:
    """Run a function of theirs/, named as MODULE.FUNCTION; return seconds and CPU. Raises Failed.

    Each imports for a second or so, which a program pays once: it takes its own time.
    """
    file = folder / "took.json"
    command = [str(peer_python()), str(_TAKE), name, str(jobs), str(slots), file.name]
    timed(command, folder, limit, env)
    try:
        took: Mapping[str, float] = json.loads(file.read_text())
    except (OSError, ValueError):
        raise Failed("it did not say how long it took") from None
    return took["seconds"], took["cpu"]


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
