"""What has to hold of the workflows of GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

__all__ = ["workflow_problems"]

_USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$")
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*")
_ENVIRONMENT = "pypi-${{ needs.build.outputs.package }}"
"""PyPI trusts one environment of a workflow for each package that is not there yet."""


def workflow_problems(root: Path, packages: list[str]) -> Iterator[str]:
    """Tell of actions that are not pinned, and of releases that a tag would not start."""
    folder = root / ".github" / "workflows"
    for file in sorted(folder.glob("*.y*ml")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            used = _USES.match(line)
            if used and not used[1].startswith("./") and not _PINNED.fullmatch(used[1]):
                yield (
                    f"{file.name}:{number}: {used[1]} is not pinned; write OWNER/ACTION@HASH # vVERSION"
                )
    release = folder / "release.yml"
    if not release.exists():
        yield "there is no workflow release.yml, which a tag starts"
        return
    # `on` is a word for true in YAML 1.1, which PyYAML reads.
    workflow: dict[Any, Any] = yaml.safe_load(release.read_text())
    yield from _tag_problems(workflow.get(True, {}), packages)
    yield from _publisher_problems(workflow.get("jobs", {}), workflow.get("permissions", {}))


def _tag_problems(starts: Any, packages: list[str]) -> Iterator[str]:
    tags = set(starts.get("push", {}).get("tags", []))
    wanted = {f"{name}-v*" for name in packages}
    for pattern in sorted(wanted - tags):
        yield f"release.yml: no tag {pattern} starts it"
    for pattern in sorted(tags - wanted):
        yield f"release.yml: {pattern} is no tag of a package"


def _publisher_problems(jobs: dict[str, Any], common: Any) -> Iterator[str]:
    publishers = [
        name for name, job in jobs.items() if _may_publish(job.get("permissions", common))
    ]
    if publishers != ["publish"]:
        yield f"release.yml: publish alone may have id-token: write; it is {publishers or 'nobody'}"
    environment = jobs.get("publish", {}).get("environment")
    name = environment.get("name") if isinstance(environment, dict) else environment
    if name != _ENVIRONMENT:
        yield f"release.yml: publish runs in the environment {name}; it has to be {_ENVIRONMENT}"


def _may_publish(permissions: Any) -> bool:
    return permissions == "write-all" or (
        isinstance(permissions, dict) and permissions.get("id-token") == "write"
    )
