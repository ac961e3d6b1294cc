from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..results import NOT_RUN, Result, read

ROOT = Path(__file__).resolve().parents[3]
TESTS = """
import pytest

class Shared:
    def test_t53_shared(self): pass

class TestHere(Shared):
    pass

@pytest.fixture
def broken():
    yield
    raise OSError

@pytest.mark.parametrize("x", [1, 2])
def test_t01_t02_of_two(x): assert x == 1
def test_t03_after(broken): pass
def test_t04_not_here(): pytest.skip("no engine")
@pytest.mark.witness("sge", "slurm", kind="unit")
def test_t05_marked(): pass
def test_of_nothing(): pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    tests = tmp_path / "packages" / "sched-ssh" / "tests" / "test_it.py"
    tests.parent.mkdir(parents=True)
    tests.write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(suite: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "tools.pains.plugin", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [*command, *options], cwd=suite, env=env, capture_output=True, text=True, check=False
    )


def told(suite: Path) -> dict[str, Result]:
    return {result.test.rpartition("::")[2]: result for result in read(suite / "kept")}


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_session_keeps_what_its_tests_have_shown(suite: Path, processes: str) -> None:
    run(suite, "--pains", "kept", "-n", processes)
    assert len(list((suite / "kept").iterdir())) == 1
    found = told(suite)
    assert {name: result.outcome for name, result in found.items()} == {
        "test_t53_shared": "passed",
        "test_t01_t02_of_two[1]": "passed",
        "test_t01_t02_of_two[2]": "failed",
        "test_t03_after": "failed",
        "test_t04_not_here": "skipped",
        "test_t05_marked": "passed",
    }
    assert found["test_t01_t02_of_two[1]"].pains == (1, 2)
    assert (found["test_t03_after"].backends, found["test_t03_after"].kind) == (("ssh",), "unit")
    assert found["test_t05_marked"].backends == ("sge", "slurm")
    assert found["test_t53_shared"].file == "packages/sched-ssh/tests/test_it.py"


def test_tests_that_were_collected_only_have_not_run(suite: Path) -> None:
    assert run(suite, "--pains", "kept", "--collect-only", "-k", "t05").returncode == 0
    assert {name: r.outcome for name, r in told(suite).items()} == {"test_t05_marked": NOT_RUN}


def test_without_the_option_nothing_is_kept(suite: Path) -> None:
    run(suite)
    assert not (suite / "kept").exists()


def test_a_table_that_is_not_what_was_shown_fails_a_session_that_passed(suite: Path) -> None:
    done = run(suite, "--pains", "kept", "--pains-check", "-k", "t05")
    assert done.returncode == 1
    assert "T01 has neither a test nor a reason for having none: core" in done.stdout
    assert "run pains --expected" in done.stdout
    assert done.stdout.splitlines()[-1].strip("= ").startswith("1 passed, ")


def test_a_check_needs_results(suite: Path) -> None:
    done = run(suite, "--pains-check")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--pains DIR" in done.stderr


def test_a_test_of_a_place_that_says_nothing_is_refused(suite: Path) -> None:
    (suite / "test_elsewhere.py").write_text("def test_t01_x(): pass\n")
    done = run(suite, "--pains", "kept", "test_elsewhere.py")
    assert done.returncode != 0
    assert "@pytest.mark.witness(BACKEND, kind=KIND)" in done.stdout + done.stderr
