from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from ..environments import Environment

TELLING = "import json, os\nprint(json.dumps([dict(os.environ), os.getcwd()]))\n"
"""A module that tells what it has around it."""


def wheel(folder: Path, *, needs: str = "") -> Path:
    """Make the package `telling`, which may need another one."""
    path = folder / "telling-1-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: telling\nVersion: 1\n"
    with ZipFile(path, "w") as archive:
        archive.writestr("telling.py", TELLING)
        archive.writestr(
            "telling-1.dist-info/METADATA", metadata + (needs and f"Requires-Dist: {needs}\n")
        )
        archive.writestr(
            "telling-1.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("telling-1.dist-info/RECORD", "")
    return path


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    return Environment.made(tmp_path / "env", sys.executable, "--offline", "--no-config")


def test_a_program_there_sees_what_is_installed_and_nothing_of_the_caller(
    made: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    made.install("--no-index", wheel(tmp_path))
    assert (made.site / "telling.py").exists()
    printed = made.run("python", "-m", "telling", home=tmp_path, THEIRS="2")
    variables, folder = json.loads(printed)
    assert (variables["HOME"], variables["THEIRS"], folder) == (str(tmp_path), "2", str(tmp_path))
    assert variables["PATH"].startswith(f"{made.programs}:")
    assert "OURS" not in variables


def test_it_sees_no_package_of_the_python_that_it_is_made_of(
    made: Environment, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        made.run("python", "-c", "import pytest", home=tmp_path)
    assert "No module named 'pytest'" in capfd.readouterr().err


def test_what_a_program_prints_is_in_its_error(made: Environment, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        made.run("python", "-c", "print('so far'); exit(3)", home=tmp_path)
    assert (failed.value.returncode, failed.value.stdout) == (3, "so far\n")


def test_a_package_that_cannot_be_had_is_an_error(
    made: Environment, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lacking = wheel(tmp_path, needs="nobody-has-this")
    with pytest.raises(subprocess.CalledProcessError):
        made.install("--no-index", lacking)
    assert "nobody-has-this" in capfd.readouterr().err


def test_packages_that_do_not_fit_each_other_are_an_error(
    made: Environment, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lacking = wheel(tmp_path, needs="nobody-has-this")
    with pytest.raises(subprocess.CalledProcessError):
        made.install("--no-index", "--no-deps", lacking)
    assert "nobody-has-this" in capfd.readouterr().err
