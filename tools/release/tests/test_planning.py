from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from ..admitted import Trial, trials_for
from ..history import Past
from ..planning import Plan, RangeChange, make_plan
from ..workspace import Package, read_packages
from .miniature import Miniature

RELEASED = Past((Version("0.1.0"),))


@pytest.fixture
def packages(repository: Miniature) -> dict[str, Package]:
    """The packages as they are once their first versions are out."""
    for package in read_packages(repository.root).values():
        (package.folder / "changelog.d" / "1.added.md").unlink()
    return read_packages(repository.root)


def test_each_package_comes_after_those_that_it_needs(repository: Miniature) -> None:
    assert list(read_packages(repository.root)) == ["sched-core", "sched-local", "sched-meta"]


def test_the_first_release_has_the_version_that_stands(packages: dict[str, Package]) -> None:
    plan = make_plan(packages, dict.fromkeys(packages, Past()))
    assert told(plan) == [f"{name} None -> 0.1.0: first release" for name in packages]
    assert not plan.problems


def test_nothing_is_released_where_nothing_changed(packages: dict[str, Package]) -> None:
    assert make_plan(packages, dict.fromkeys(packages, RELEASED)) == Plan()


def test_a_fix_is_released_alone(packages: dict[str, Package]) -> None:
    tell(packages["sched-core"], "7.fixed.md", "8.fixed.md")
    plan = make_plan(packages, dict.fromkeys(packages, RELEASED))
    assert told(plan) == ["sched-core 0.1.0 -> 0.1.1: 2 fixed"]
    assert not plan.ranges


def test_all_whose_range_is_left_follow(packages: dict[str, Package]) -> None:
    tell(packages["sched-core"], "7.changed.md", "8.added.1.md")
    plan = make_plan(packages, dict.fromkeys(packages, RELEASED), chosen=["sched-core"])
    assert told(plan) == [
        "sched-core 0.1.0 -> 0.2.0: 1 changed, 1 added",
        "sched-local 0.1.0 -> 0.2.0: follows sched-core",
        "sched-meta 0.1.0 -> 0.2.0: follows sched-core, follows sched-local",
    ]
    assert plan.ranges == [
        RangeChange("sched-local", "sched-core", ">=0.1,<0.2", ">=0.2,<0.3"),
        RangeChange("sched-meta", "sched-core", ">=0.1,<0.2", ">=0.2,<0.3"),
        RangeChange("sched-meta", "sched-local", ">=0.1,<0.2", ">=0.2,<0.3"),
    ]


def test_a_package_that_was_never_released_follows_without_a_release(
    packages: dict[str, Package],
) -> None:
    tell(packages["sched-core"], "7.changed.md")
    past = {**dict.fromkeys(packages, Past()), "sched-core": RELEASED}
    plan = make_plan(packages, past, chosen=["sched-core"])
    assert told(plan) == ["sched-core 0.1.0 -> 0.2.0: 1 changed"]
    assert {change.package for change in plan.ranges} == {"sched-local", "sched-meta"}


def test_code_that_changed_without_a_fragment_is_told(packages: dict[str, Package]) -> None:
    past = {**dict.fromkeys(packages, RELEASED), "sched-local": Past(RELEASED.versions, ("a.py",))}
    plan = make_plan(packages, past)
    assert not plan.releases
    assert plan.notes == [
        (
            "sched-local: changed since sched-local-v0.1.0 without a fragment, such as a.py;"
            " write one, or ask for --set sched-local=patch"
        )
    ]
    plan = make_plan(packages, past, wanted={"sched-local": "patch"})
    assert told(plan) == ["sched-local 0.1.0 -> 0.1.1: patch was asked for"]


def test_a_release_needs_releases_of_what_it_needs(packages: dict[str, Package]) -> None:
    plan = make_plan(packages, dict.fromkeys(packages, Past()), chosen=["sched-local"])
    assert plan.problems == [
        "sched-local: no release of sched-core is in >=0.1,<0.2; release sched-core, too"
    ]


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9"])
def test_no_version_goes_back(packages: dict[str, Package], version: str) -> None:
    past = dict.fromkeys(packages, RELEASED)
    plan = make_plan(packages, past, wanted={"sched-core": version})
    assert f"sched-core: {version} is not above the last release, 0.1.0" in plan.problems


def test_the_first_version_does_not_go_back_either(packages: dict[str, Package]) -> None:
    plan = make_plan(packages, dict.fromkeys(packages, Past()), wanted={"sched-meta": "0.0.9"})
    assert plan.problems == ["sched-meta: 0.0.9 is below the version of pyproject.toml, 0.1.0"]


def test_the_tree_alone_is_left_to_the_tests_that_run_anyway(packages: dict[str, Package]) -> None:
    in_tree = Trial("sched-local", ">=0.1,<0.2", "the 0.1.0 of the tree", None)
    assert list(trials_for(packages, Past())) == [in_tree]
    assert list(trials_for(packages, RELEASED)) == [in_tree]


def test_a_range_is_tried_at_both_ends(packages: dict[str, Package]) -> None:
    versions = tuple(map(Version, ("0.0.5", "0.1.0", "0.1.1", "0.1.2", "0.2.0")))
    trials = list(trials_for(packages, Past(versions, ("a.py",))))
    assert [trial.tag for trial in trials] == ["sched-core-v0.1.0", None]
    set_version(packages["sched-core"].folder, "0.2.0")
    left = read_packages(packages["sched-core"].folder.parents[1])
    trials = list(trials_for(left, Past(versions)))
    assert [trial.tag for trial in trials] == ["sched-core-v0.1.0", "sched-core-v0.1.2"]


def told(plan: Plan) -> list[str]:
    return [f"{r.package.name} {r.before} -> {r.after}: {r.why}" for r in plan.releases]


def tell(package: Package, *fragments: str) -> None:
    for name in fragments:
        (package.folder / "changelog.d" / name).write_text("Something.\n")


def set_version(folder: Path, version: str) -> None:
    file = folder / "pyproject.toml"
    file.write_text(file.read_text().replace('"0.1.0"', f'"{version}"'))
