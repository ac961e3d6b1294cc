#!/usr/bin/env python3
"""Run hatch without installing it first: `python3 tools/dev.py run demo`.

Hatch and the environments it makes stay in `.hatch/`; delete that folder to start again.
Wherever this is called from, hatch runs in the root of the repository.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
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
    shutil.rmtree(HOME / "data", ignore_errors=True)
    venv.create(env, clear=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    options = ["--quiet", "--quiet", "--no-user", "--target", str(site)]  # twice: errors only
    subprocess.run([*pip, *options, HATCH], check=True)
    CONFIG.touch()  # hatch asks for the file that HATCH_CONFIG names


def is_ready(env: Path, stamp: Path) -> bool:
    """Environments hold absolute paths: a moved clone or an upgraded Python needs new ones."""
    return (
        stamp.exists()
        and stamp.read_bytes() == os.fsencode(env)
        and (env / "bin" / "python").exists()
    )


def ensure_hatch() -> tuple[Path, Path]:
    """Return the Python of an environment with hatch, and the folder of hatch's programs."""
    env = HOME / HATCH
    site = env / "lib" / f"python{PYTHON}" / "site-packages"
    stamp = env / ".ready"
    with locked(HOME / "lock"):
        if not is_ready(env, stamp):
            install_hatch(env, site)
            stamp.write_bytes(os.fsencode(env))
    return env / "bin" / "python", site / "bin"


def environment(programs: Path) -> dict[str, str]:
    """Keep hatch's files in this clone, and say how we were called for messages to repeat it."""
    env = {
        "UV_SYSTEM_CERTS": "1",  # trust what the system trusts, as pip does
        "HATCH_DATA_DIR": str(HOME / "data"),
        "HATCH_CACHE_DIR": str(HOME / "cache"),
        "HATCH_CONFIG": str(CONFIG),
    }
    if "PIP_INDEX_URL" in os.environ:  # hatch installs by uv, which does not know pip's settings
        env["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    env |= os.environ
    env["PATH"] = os.pathsep.join([str(programs), env.get("PATH", os.defpath)])
    env["DEV_COMMAND"] = shlex.join([Path(sys.orig_argv[0]).name, sys.argv[0]])
    return env


def hatch_arguments(typed: list[str]) -> list[str]:
    """Hand on what was typed as it is: hatch would fill in `{}`, drop a `--` of the command, and
    take pytest's options for its own where they have the same letters.
    """
    if typed[:1] not in (["run"], ["test"]) or typed[1:2] == ["--help"]:
        return typed
    verb, *rest = [word.replace("{", "{{").replace("}", "}}") for word in typed]
    own = own_options(rest) if verb == "test" else 0
    given = rest[own + 1 :] if verb == "test" and rest[own : own + 1] == ["--"] else rest[own:]
    return [verb, *rest[:own], "--", *given]


OWN_OPTIONS = {"--all": 1, "--cover": 1, "--show": 1, "--python": 2, "--include": 2, "-i": 2}
"""The options of `hatch test` that it keeps where they come first, with how many words they are."""


def own_options(words: list[str]) -> int:
    """Count the words at the beginning that are for hatch."""
    count = 0
    while count < len(words) and words[count] in OWN_OPTIONS:
        count += OWN_OPTIONS[words[count]]
    return count


def main() -> None:
    try:
        python, programs = ensure_hatch()
    except subprocess.CalledProcessError as error:
        sys.exit(f"Could not install {HATCH}: pip ended with {error.returncode}, see above.")
    except KeyboardInterrupt:
        sys.exit(130)
    os.chdir(ROOT)
    # Hatch takes this process's place, so that Ctrl-C meets no Python in between.
    command = [str(python), "-m", "hatch", *hatch_arguments(sys.argv[1:])]
    os.execve(python, command, environment(programs))


if __name__ == "__main__":
    main()
