from __future__ import annotations

import pytest

from ..checks import check
from .miniature import Miniature

WORKFLOW = ".github/workflows/release.yml"
LOCAL = "packages/sched-local"


def test_what_agrees_has_no_problems(repository: Miniature) -> None:
    assert check(repository.root, []) == []


@pytest.mark.parametrize(
    "path,before,after,problem",
    [
        (
            f"{LOCAL}/pyproject.toml",
            "<0.2",
            "<0.1",
            "sched-local: wants sched-core<0.1,>=0.1, the repository has 0.1.0",
        ),
        (
            f"{LOCAL}/pyproject.toml",
            ">=0.1,<0.2",
            "",
            "sched-local: wants any sched-core; say from which version on, and before which",
        ),
        (
            f"{LOCAL}/LICENSE",
            "MIT",
            "other",
            "sched-local: LICENSE is not a copy of the one in the root",
        ),
        (
            f"{LOCAL}/pyproject.toml",
            'license = "MIT"',
            "",
            "sched-local: pyproject.toml names no license",
        ),
        (
            f"{LOCAL}/pyproject.toml",
            'keywords = ["jobs"]',
            "",
            "sched-local: pyproject.toml has no keywords, which an index shows",
        ),
        (
            f"{LOCAL}/pyproject.toml",
            ">=3.11",
            ">=3.10",
            "sched-local: requires-python is '>=3.10', the lowest Python of its classifiers is 3.11",
        ),
        (
            "hatch.toml",
            "3.11",
            "3.12",
            "sched-local: has a classifier for Python 3.11, on which hatch.toml runs no tests",
        ),
        (
            f"{LOCAL}/CHANGELOG.md",
            "<!-- towncrier",
            "## 0.0.9 (2026-01-01)\n<!-- towncrier",
            "sched-local: version 0.1.0, CHANGELOG.md has 0.0.9",
        ),
        (
            f"{LOCAL}/changelog.d/1.added.md",
            "sched-local is new.",
            "",
            "sched-local: changelog.d/1.added.md is empty",
        ),
        (
            WORKFLOW,
            "checkout@0123456789012345678901234567890123456789 # v7.0.1",
            "checkout@v7",
            "release.yml:7: actions/checkout@v7 is not pinned; write OWNER/ACTION@HASH # vVERSION",
        ),
        (
            WORKFLOW,
            " # v7.0.1",
            "",
            (
                "release.yml:7: actions/checkout@0123456789012345678901234567890123456789 is not"
                " pinned; write OWNER/ACTION@HASH # vVERSION"
            ),
        ),
        (
            WORKFLOW,
            ', "sched-meta-v*"',
            "",
            "release.yml: no tag sched-meta-v* starts it",
        ),
        (
            WORKFLOW,
            '"sched-meta-v*"',
            '"sched-meta-v*", "v*"',
            "release.yml: v* is no tag of a package",
        ),
        (
            WORKFLOW,
            "environment: pypi-${{ needs.build.outputs.package }}",
            "environment: pypi",
            (
                "release.yml: publish runs in the environment pypi; it has to be"
                " pypi-${{ needs.build.outputs.package }}"
            ),
        ),
        (
            WORKFLOW,
            "  build:\n",
            "  build:\n    permissions: write-all\n",
            "release.yml: publish alone may have id-token: write; it is ['build', 'publish']",
        ),
        (
            WORKFLOW,
            "jobs:\n",
            "permissions:\n  id-token: write\njobs:\n",
            "release.yml: publish alone may have id-token: write; it is ['build', 'publish']",
        ),
    ],
)
def test_what_does_not_agree_is_told(
    repository: Miniature, path: str, before: str, after: str, problem: str
) -> None:
    text = repository.read(path)
    assert before in text
    repository.write(path, text.replace(before, after))
    assert problem in check(repository.root, [])


@pytest.mark.parametrize("name", ["1.new.md", "added.md", "1.added.txt", "x1.added.md"])
def test_a_fragment_that_towncrier_would_not_read_is_told(repository: Miniature, name: str) -> None:
    repository.write(f"{LOCAL}/changelog.d/{name}", "Something.\n")
    told = f"sched-local: changelog.d/{name} is not named ISSUE.KIND.md or +WORDS.KIND.md"
    assert check(repository.root, []) == [told]


@pytest.mark.parametrize(
    "tag,problem",
    [
        (
            "sched-other-v0.1.0",
            "sched-other-v0.1.0: there is no package 'sched-other'; tags are <package>-v<version>",
        ),
        ("sched-core-v0.2.0", "sched-core-v0.2.0: sched-core has version 0.1.0"),
        (
            "sched-core-v0.1.0",
            "sched-core-v0.1.0: CHANGELOG.md has no 0.1.0; `release:release sched-core` writes it",
        ),
        ("sched-core-vnew", "sched-core-vnew: sched-core has version 0.1.0"),
    ],
)
def test_a_tag_has_to_be_its_packages_version(
    repository: Miniature, tag: str, problem: str
) -> None:
    assert problem in check(repository.root, [tag])


def test_a_repository_without_the_workflow_is_told(repository: Miniature) -> None:
    (repository.root / WORKFLOW).unlink()
    assert check(repository.root, []) == ["there is no workflow release.yml, which a tag starts"]
