#!/usr/bin/env python3
"""Run hatch without installing it first: `python3 tools/dev.py run demo`.

Hatch and the environments it makes stay in `.hatch/`; delete that folder to start again.
Wherever this is called from, hatch runs in the root of the repository.
"""

import contextlib
import fcntl
import os
import shlex
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
if sys.version_info < (3, 11):  # noqa: UP036 - the old Python is the one that has to read this
    sys.exit(f"tools/dev.py needs Python 3.11 or newer; {sys.executable} is {PYTHON}.")

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".hatch" / PYTHON
CONFIG = HOME / "config.toml"
HATCH = "hatch==1.18.2"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process in at a time: two terminals may start at once in a fresh clone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_hatch(env: Path, site: Path) -> None:
    """Fill an empty environment by the pip at hand.

    That needs no `ensurepip`, which Debian packages apart, and never touches a Python that the
    system manages (PEP 668).
    """
    print(f"Installing {HATCH} in {env}", file=sys.stderr)
    venv.create(env, clear=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-user", "--target", str(site), HATCH], check=True)


def ensure_hatch() -> tuple[Path, Path]:
    """Return the Python of an environment with hatch, and the folder of hatch's programs."""
    env = HOME / HATCH
    python = env / "bin" / "python"
    site = env / "lib" / f"python{PYTHON}" / "site-packages"
    ready = env / ".ready"
    with locked(HOME / "lock"):
        if not (ready.exists() and python.exists()):  # the Python it links to may be gone
            install_hatch(env, site)
            CONFIG.touch()
            ready.touch()
    return python, site / "bin"


def environment(programs: Path) -> dict[str, str]:
    """Keep hatch's files in this clone, and say how we were called for messages to repeat it."""
    typed = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    return {
        "UV_SYSTEM_CERTS": "1",  # trust what the system trusts, as pip does
        "HATCH_DATA_DIR": str(HOME / "data"),
        "HATCH_CACHE_DIR": str(HOME / "cache"),
        "HATCH_CONFIG": str(CONFIG),
        **os.environ,
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "DEV_COMMAND": shlex.join(typed),
    }


def main() -> None:
    try:
        python, programs = ensure_hatch()
    except subprocess.CalledProcessError as error:
        sys.exit(f"Could not install {HATCH}: pip ended with {error.returncode}, see above.")
    os.chdir(ROOT)
    # Hatch takes this process's place, so that Ctrl-C meets no Python in between.
    os.execve(python, [str(python), "-m", "hatch", *sys.argv[1:]], environment(programs))


if __name__ == "__main__":
    main()
