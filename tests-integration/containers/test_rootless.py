"""All that a user without rights can do: this folder's tests once more, run by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ..daemons import need_programs
from ..engines import or_skip

HERE = Path(__file__).parent
SHARES = 3
REPOSITORY = HERE.parents[1]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", range(SHARES))
def test_by_a_user_without_rights(share: int, full: bool) -> None:
    with or_skip():
        need_programs(podman="podman", newuidmap="uidmap", unshare="util-linux", cp="coreutils")
    # Of a short name: Podman takes no folder for what runs that has more than 50 letters.
    with tempfile.TemporaryDirectory(prefix="sched-user-", dir="/tmp") as root:
        os.chmod(root, 0o755)
        home = Path(root) / "home"
        done = subprocess.run(
            _command(home, full),
            cwd=REPOSITORY,
            env=_environment(home, share, full),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, done.stdout
        (suite,) = ET.parse(home / "results.xml").iter("testsuite")
    passed = int(suite.attrib["tests"]) - int(suite.attrib["skipped"])
    assert passed > 0, done.stdout
    assert not (os.environ.get("CI") and int(suite.attrib["skipped"])), done.stdout
    sys.stdout.write(f"{passed} tests passed\n")


def _command(home: Path, full: bool) -> list[str]:
    apart = (
        "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc".split()
    )
    become = [sys.executable, str(HERE / "unprivileged.py"), str(home), *_needed_folders(), "--"]
    options = f"-q -p no:cacheprovider -p no:hypothesispytest --basetemp={home}/tests --junitxml={home}/results.xml".split()
    tests = [sys.executable, "-m", "pytest", *options, str(HERE)]
    return [*apart, *become, *tests, *(["--full"] if full else [])]


def _needed_folders() -> list[str]:
    """Return the folders of Python, of what is installed and of the repository, none twice."""
    wanted = (sys.base_prefix, sys.prefix, *sys.path, str(REPOSITORY))
    found = {path for name in wanted if (path := Path(name).resolve()).is_dir()}
    whole = [path for path in found if found.isdisjoint(path.parents)]
    return [str(path) for path in whole if path.parts[:2] != ("/", "usr")]


def _environment(home: Path, share: int, full: bool) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "CI") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": f"{home}/run",
        "TMPDIR": f"{home}/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SCHED_TEST_SHARE": f"{share}/{SHARES}",
        "SCHED_TEST_LEAVE": "" if full else "test_reused_contract.py",
    }
