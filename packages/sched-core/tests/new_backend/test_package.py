"""The package that is made of the template; tools/try_backend.py installs and tests one."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from sched_core.testing.new_backend import writing
from sched_core.testing.new_backend.__main__ import main
from sched_core.testing.new_backend.writing import core_range

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Make:
    def made(name: str) -> Path:
        assert main([name, "--folder", str(tmp_path)]) == 0
        assert f"made {tmp_path}/sched-{name};" in capsys.readouterr().out
        return tmp_path / f"sched-{name}"

    return made


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_has_all_that_a_package_needs(make: Make) -> None:
    found = files(make("my-engine"))
    assert found >= {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", ".gitignore"}
    assert found >= {f"src/sched_my_engine/{name}" for name in ("py.typed", "scheduler.py")}
    assert found >= {"tests/test_contract.py", "changelog.d/+first.added.md"}


def test_nothing_reminds_of_the_template(make: Make) -> None:
    folder = make("my-engine")
    for name in files(folder):
        assert "template" not in f"{name} {(folder / name).read_text()}".lower(), name


def test_it_is_found_by_its_entry_point_and_wants_this_sched_core(make: Make) -> None:
    project = tomllib.loads((make("my-engine") / "pyproject.toml").read_text())["project"]
    assert project["name"] == "sched-my-engine"
    entry_points = project["entry-points"]["sched.schedulers"]
    assert entry_points == {"my-engine": "sched_my_engine:MyEngineScheduler"}
    assert f"sched-core{core_range(version('sched-core'))}" in project["dependencies"]


def test_the_range_ends_before_the_next_version_that_may_break_things() -> None:
    assert core_range("0.1.0") == ">=0.1,<0.2"
    assert core_range("0.12.3") == ">=0.12,<0.13"
    assert core_range("1.4.2") == ">=1.4,<2"


def test_its_tests_pass_before_anything_is_replaced(make: Make) -> None:
    folder = make("my-engine")
    chosen = ["tests", "-k", "not TestMyEngine or returns_0 or runs_is_killed"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_tools_have_left_in_the_template_is_no_part_of_it(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "here"
    for name in ("src/sched_template/a.py", "src/__pycache__/a.pyc", ".mypy_cache/b", ".gitignore"):
        path = template / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.setattr(writing, "_TEMPLATE", template)
    assert files(make("mine")) == {"src/sched_mine/a.py", ".gitignore"}


@pytest.mark.parametrize(
    "typed, told",
    [
        (["My Engine"], "NAME 'My Engine': give at most 24 lowercase letters"),
        (["there"], "/sched-there is there already: remove it, or name another --folder"),
        (["mine", "--folder", "not/there"], "cannot be made: No such file or directory"),
        (["mine", "--folder", "file"], "cannot be made: Not a directory"),
    ],
)
def test_what_cannot_be_made_is_told_in_a_line_and_leaves_nothing(
    typed: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "sched-there").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(typed) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("new-backend: ")
    assert told in line
    assert printed.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_a_package_that_cannot_be_written_whole_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Path, *args: Any, **options: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert main(["mine", "--folder", str(tmp_path)]) == 2
    assert "sched-mine cannot be written: No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
