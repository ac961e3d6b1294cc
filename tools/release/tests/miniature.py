"""A repository like this one, with three small packages: what a core is, a backend, and the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..history import Git

__all__ = ["Miniature", "make"]

_OWN = Path(__file__).resolve().parents[3]
_NEEDS = {
    "sched-core": "",
    "sched-local": '"sched-core>=0.1,<0.2"',
    "sched-meta": '"sched-core>=0.1,<0.2", "sched-local>=0.1,<0.2"',
}
_RUNNER = """\
import runpy, sys

for test in sys.argv[1:]:
    runpy.run_path(test)
"""
_PROJECT = """\
[build-system]
requires = []
build-backend = "making"
backend-path = ["."]

[project]
name = "{name}"
version = "0.1.0"
description = "A part of the miniature"
readme = "README.md"
license = "MIT"
authors = [{{ name = "A Maintainer" }}]
keywords = ["jobs"]
requires-python = ">=3.11"
classifiers = ["Programming Language :: Python :: 3.11"]
dependencies = [{needs}]
"""
_BACKEND = """
[project.entry-points."sched.schedulers"]
local = "sched_local:LocalScheduler"
"""
_EXTRA = """
[project.optional-dependencies]
local = ["sched-local>=0.1,<0.2"]
"""
_WORKFLOW = """\
on:
  push:
    tags: ["sched-core-v*", "sched-local-v*", "sched-meta-v*"]
jobs:
  build:
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v7.0.1
      - uses: ./own
  publish:
    environment: pypi-${{ needs.build.outputs.package }}
    permissions:
      id-token: write
"""
_CHANGELOG = "# Changelog\n\n<!-- towncrier release notes start -->\n"


@dataclass(frozen=True, slots=True)
class Miniature:
    root: Path

    @property
    def git(self) -> Git:
        return Git(self.root)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Go on")

    def change(self, package: str, fragment: str) -> None:
        """Change a package's source, and tell of it."""
        module = f"packages/{package}/src/{package.replace('-', '_')}/__init__.py"
        self.write(module, f"CHANGE = {fragment!r}\n")
        self.write(f"packages/{package}/changelog.d/{fragment}", f"What {fragment} tells.\n")
        self.commit()

    def state(self) -> tuple[str, str, str, str]:
        """What must not change where something is refused."""
        return (
            self.git("rev-parse", "HEAD"),
            self.git("tag", "--list"),
            self.git("status", "--porcelain", "--ignored"),
            self.git("worktree", "list"),
        )


def make(root: Path) -> Miniature:
    made = Miniature(root)
    made.write("LICENSE", "MIT\n")
    made.write("pyproject.toml", _groups(root) + _towncrier())
    made.write("runner/pyproject.toml", _PROJECT.format(name="pytest", needs=""))
    made.write("runner/making.py", Path(__file__).with_name("making.py").read_text())
    made.write("runner/src/pytest/__main__.py", _RUNNER)
    made.write("hatch.toml", '[[envs.hatch-test.matrix]]\npython = ["3.11"]\n')
    made.write(".github/workflows/release.yml", _WORKFLOW)
    for name, needs in _NEEDS.items():
        folder = f"packages/{name}"
        more = {"sched-local": _BACKEND, "sched-meta": _EXTRA}.get(name, "")
        made.write(f"{folder}/pyproject.toml", _PROJECT.format(name=name, needs=needs) + more)
        made.write(f"{folder}/making.py", Path(__file__).with_name("making.py").read_text())
        made.write(f"{folder}/README.md", f"# {name}\n")
        made.write(f"{folder}/LICENSE", "MIT\n")
        made.write(f"{folder}/CHANGELOG.md", _CHANGELOG)
        made.write(f"{folder}/src/{name.replace('-', '_')}/__init__.py", "")
        made.write(f"{folder}/changelog.d/1.added.md", f"{name} is new.\n")
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("config", "user.name", "A Maintainer")
    made.git("config", "user.email", "maintainer@example.org")
    made.commit()
    return made


def _groups(root: Path) -> str:
    """What tests need: a runner of tests that is made here, since no index is asked."""
    return f'[dependency-groups]\ntest = ["pytest @ {(root / "runner").as_uri()}"]\n'


def _towncrier() -> str:
    _, table, text = (_OWN / "pyproject.toml").read_text().partition("\n[tool.towncrier]\n")
    return table + text
