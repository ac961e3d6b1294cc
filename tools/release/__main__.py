"""Release the packages, each with a version of its own.

check       say what does not agree: versions, ranges, changelogs, licences, workflows, a tag
plan        show what a release would do, and do nothing
release     write versions, ranges and changelogs, commit, and tag; push nothing
try-ranges  run each backend's tests on the lowest and the highest sched-core that it admits
build       make the files of one package that are uploaded
notes       print what the changelog has of a tag
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version

from .admitted import trials_for, try_range
from .applying import add_tags, commit, push_commands, take_over, write
from .building import build
from .checks import check
from .history import Git, Past, Refused, past_of
from .planning import Plan, make_plan
from .showing import shown
from .versions import next_version
from .workspace import Package, notes_of, read_packages

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    git = Git(given.root.resolve())
    packages = read_packages(git.root)
    for name in _named(given):
        if name not in packages:
            parser.error(f"there is no package {name!r}; there are {', '.join(packages)}")
    try:
        return int(given.command(git, packages, given))
    except Refused as refusal:
        print(f"release: {refusal}", file=sys.stderr)
        return 1


def _named(given: argparse.Namespace) -> list[str]:
    wanted = dict(getattr(given, "wanted", []))
    return [*getattr(given, "packages", []), *wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    checks = commands.add_parser("check", help="say what does not agree")
    checks.add_argument("tags", nargs="*", metavar="TAG")
    checks.set_defaults(command=_check)
    for name, command in (("plan", _plan), ("release", _release)):
        planned = commands.add_parser(name, help="show a release" if name == "plan" else "release")
        planned.add_argument("packages", nargs="*", metavar="PACKAGE", help="all that have changes")
        planned.add_argument(
            "--set",
            dest="wanted",
            action="append",
            default=[],
            type=_assignment,
            metavar="PACKAGE=VERSION",
            help="a version, or major, minor or patch, in place of what the fragments say",
        )
        planned.set_defaults(command=command)
    ranges = commands.add_parser("try-ranges", help="run backends' tests on the cores they admit")
    ranges.add_argument("packages", nargs="*", metavar="BACKEND", help="all backends")
    ranges.add_argument("--python", default="3.11", help="the Python to run them on")
    ranges.add_argument("--pytest", action="append", default=[], help="an option for pytest")
    ranges.set_defaults(command=_try_ranges)
    builds = commands.add_parser("build", help="make the files of one package")
    builds.add_argument("packages", nargs=1, metavar="PACKAGE")
    builds.add_argument("--outdir", type=Path, default=Path("dist"))
    builds.set_defaults(command=_build)
    notes = commands.add_parser("notes", help="print what the changelog has of a tag")
    notes.add_argument("tag", metavar="TAG")
    notes.set_defaults(command=_notes)
    return parser


def _assignment(text: str) -> tuple[str, str]:
    name, _, wanted = text.partition("=")
    try:
        next_version(Version("0"), wanted)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, wanted


def _check(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    found = check(git.root, given.tags)
    print("\n".join(found) or f"{len(packages)} packages agree")
    return bool(found)


def _plan(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    if git("status", "--porcelain"):
        print("This tells of the last commit; what is not committed is left out.\n")
    with git.copy() as copy:
        plan = _carried_out(git, copy, given)
        print(shown(plan, read_packages(copy.root), push_commands(git, plan)))
    return 0


def _release(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    if git("status", "--porcelain"):
        raise Refused("there are changes that are not committed: commit them, or put them away")
    if not git("branch", "--show-current"):
        raise Refused("no branch is checked out: switch to the one that is released")
    with git.copy() as copy:
        plan = _carried_out(git, copy, given)
        print(shown(plan, read_packages(copy.root), push_commands(git, plan)))
        if plan.releases:
            take_over(git, copy)
    add_tags(git, plan)
    return 0


def _carried_out(git: Git, copy: Git, given: argparse.Namespace) -> Plan:
    """Do in the copy what is asked for. Raises Refused where that would not be a good release."""
    packages = read_packages(copy.root)
    past = {name: past_of(copy, package) for name, package in packages.items()}
    plan = make_plan(packages, past, chosen=given.packages, wanted=dict(given.wanted))
    tags = [release.tag for release in plan.releases]
    plan.problems += [f"the tag {tag} is there already" for tag in tags if tag in git.tags()]
    if plan.problems:
        raise Refused("\n".join(plan.problems))
    if plan.releases:
        write(copy.root, plan, datetime.now(UTC).date())
        commit(copy, plan)
        if found := check(copy.root, tags):
            raise Refused("\n".join(["what it would write does not agree:", *found]))
    return plan


def _try_ranges(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    core: Past = past_of(git, packages["sched-core"])
    failed = []
    for trial in trials_for(packages, core):
        if given.packages and trial.backend not in given.packages:
            continue
        if trial.tag is None:
            print(f"{trial}: CI's own tests say so", flush=True)
            continue
        passes = try_range(git, trial, given.python, given.pytest)
        print(f"{trial}: {'passes' if passes else 'fails'}", flush=True)
        failed += [] if passes else [str(trial)]
    return bool(failed)


def _build(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    # GitHub's workflows know where the repository is seen; elsewhere nobody does.
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    seen = f"{server}/{name}/{{view}}/{git('rev-parse', 'HEAD')}" if server and name else None
    build(git, given.packages[0], given.outdir, seen)
    return 0


def _notes(git: Git, packages: dict[str, Package], given: argparse.Namespace) -> int:
    if found := check(git.root, [given.tag]):
        raise Refused("\n".join(found))
    name, _, version = given.tag.rpartition("-v")
    print(notes_of(packages[name].changelog, Version(version)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
