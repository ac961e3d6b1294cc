"""What new packages may be called."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sched_core import OptionError
from sched_core.testing.new_backend.names import Names

PACKAGES = Path(__file__).parents[3]


def test_one_name_gives_all_others() -> None:
    names = Names.check("my-engine2")
    assert (names.package, names.module) == ("sched-my-engine2", "sched_my_engine2")
    assert names.words == "MyEngine2"


@pytest.mark.parametrize(
    "name, module, words",
    [
        ("my-engine", "sched_my_engine", "MyEngine"),
        ("my-template", "sched_my_template", "MyTemplate"),
        ("templates", "sched_templates", "Templates"),
    ],
)
def test_each_name_of_the_template_becomes_one_of_the_package(
    name: str, module: str, words: str
) -> None:
    text = 'sched-template sched_template TemplateScheduler "template" job.wrapped.template'
    assert Names(name).apply(text) == (
        f'sched-{name} {module} {words}Scheduler "{name}" job.wrapped.{name}'
    )


@pytest.mark.parametrize(
    "name",
    ["", "My", "my_engine", "my--engine", "-my", "my-", "3d", "é", "a/b", "..", "a\n", "a" * 25],
)
def test_what_is_no_name_of_a_package_is_refused(name: str) -> None:
    told = f"NAME {name!r}: give at most 24 lowercase letters, digits and single dashes"
    with pytest.raises(OptionError, match=re.escape(told)):
        Names.check(name)


@pytest.mark.parametrize(
    "name, told",
    [
        ("sched-mine", "leave out sched-, which the package gets by itself: mine"),
        ("class", "it is a keyword of Python"),
        ("match", "it is a keyword of Python"),
        ("slurm", "sched has a scheduler or package of that name"),
        ("core", "sched has a scheduler or package of that name"),
    ],
)
def test_what_means_something_already_is_refused(name: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        Names.check(name)


def test_what_is_installed_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sched_mine.py").write_text("")
    about = tmp_path / "sched_theirs-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: sched-theirs\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[sched.schedulers]\ntheir-engine = theirs:Theirs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OptionError, match="a module sched_mine is installed"):
        Names.check("mine")
    with pytest.raises(OptionError, match="sched has a scheduler or package of that name"):
        Names.check("their-engine")


def test_the_names_of_our_own_are_known_where_they_are_not_installed() -> None:
    found = set()
    for path in PACKAGES.glob("sched-*/pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        found.add(project["name"].removeprefix("sched-"))
        found |= project.get("entry-points", {}).get("sched.schedulers", {}).keys()
    assert len(found) == 9
    for name in found:
        with pytest.raises(OptionError, match="sched has a scheduler or package of that name"):
            Names.check(name)
