"""Say in which order the packages are released, and check that they agree with each other.

`packages.py order` prints names and versions, dependencies first; `packages.py check [TAG]`
compares versions, changelogs, licences and the packages' demands on each other, and a tag with
its package.
"""

import re
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "packages"
FRAGMENT = re.compile(r"^(\d+|\+[\w-]+)\.(added|changed|removed|fixed)(\.\d+)?\.md$")

Project = dict[str, Any]
Projects = dict[str, Project]


def read() -> Projects:
    files = sorted(PACKAGES.glob("*/pyproject.toml"))
    projects = [tomllib.loads(file.read_text())["project"] for file in files]
    return {project["name"]: project for project in projects}


def siblings(project: Project, projects: Projects) -> list[Requirement]:
    extras = project.get("optional-dependencies", {}).values()
    lines = [*project.get("dependencies", []), *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return [req for req in found if req.name in projects and req.name != project["name"]]


def order(projects: Projects) -> list[str]:
    graph = {
        name: {requirement.name for requirement in siblings(project, projects)}
        for name, project in projects.items()
    }
    return list(TopologicalSorter(graph).static_order())


def changelog_problems(name: str, version: str) -> list[str]:
    """The newest release in CHANGELOG.md is the version; before the first, changelog.d tells."""
    releases = re.findall(r"(?m)^## (\S+)", (PACKAGES / name / "CHANGELOG.md").read_text())
    files = {file.name for file in (PACKAGES / name / "changelog.d").iterdir()} - {".gitkeep"}
    found = [
        f"{name}: changelog.d/{file} is not named ISSUE.KIND.md or +WORDS.KIND.md"
        for file in sorted(files)
        if not FRAGMENT.match(file)
    ]
    if releases and releases[0] != version:
        found.append(f"{name}: version {version}, CHANGELOG.md has {releases[0]}")
    if not releases and not files:
        found.append(f"{name}: neither CHANGELOG.md nor changelog.d says what it holds")
    return found


def sibling_problems(name: str, projects: Projects) -> list[str]:
    return [
        f"{name}: wants {requirement}, the repository has {projects[requirement.name]['version']}"
        for requirement in siblings(projects[name], projects)
        if not requirement.specifier.contains(
            projects[requirement.name]["version"], prereleases=True
        )
    ]


def licence_problems(name: str) -> list[str]:
    """Each package is published with a copy, because an archive cannot hold a link out of it."""
    copy = PACKAGES / name / "LICENSE"
    same = copy.exists() and copy.read_bytes() == (ROOT / "LICENSE").read_bytes()
    return [] if same else [f"{name}: LICENSE is not a copy of the one in the root"]


def tag_problems(tag: str, projects: Projects) -> list[str]:
    """A tag releases its package's version, with its changes in the changelog."""
    name, _, version = tag.rpartition("-v")
    if name not in projects:
        return [f"{tag}: there is no package {name!r}; tags are <package>-v<version>"]
    found = []
    if version != projects[name]["version"]:
        found.append(f"{tag}: {name} has version {projects[name]['version']}")
    if f"\n## {version} " not in (PACKAGES / name / "CHANGELOG.md").read_text():
        found.append(f"{tag}: CHANGELOG.md has no {version}; release:changelog {name} writes it")
    return found


def check(projects: Projects, tags: list[str]) -> list[str]:
    return [
        *(p for name in projects for p in changelog_problems(name, projects[name]["version"])),
        *(p for name in projects for p in sibling_problems(name, projects)),
        *(p for name in projects for p in licence_problems(name)),
        *(p for tag in tags for p in tag_problems(tag, projects)),
    ]


def main() -> int:
    projects = read()
    if sys.argv[1:] == ["order"]:
        print("\n".join(f"{name} {projects[name]['version']}" for name in order(projects)))
        return 0
    found = check(projects, sys.argv[2:])
    print("\n".join(found) or f"{len(projects)} packages agree")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
