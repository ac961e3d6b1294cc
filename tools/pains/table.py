"""The table of tests-integration/README.md, made of results; and what is wrong with these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath

from ..marked import filled
from .absent import reason_for, reasons
from .catalogue import PAINS, Pain
from .places import BACKENDS, KINDS
from .results import Result

__all__ = ["DOCUMENT", "MARK", "MEND", "problems", "rendered", "stale"]

DOCUMENT = Path(__file__).resolve().parents[2] / "tests-integration" / "README.md"
MARK = "pains"
MEND = (
    "`python3 tools/dev.py run pains --expected` writes the table of tests-integration/README.md anew;"
    " reasons stand in tools/pains/absent.py"
)
_LEFT_OUT = {"packages", "tests", "tests-integration", "src", "testing"}


def problems(results: Sequence[Result]) -> list[str]:
    """Return a line for each pain that is in no list or has cells that do not fit."""
    unknown = {n for result in results for n in result.pains} - {pain.number for pain in PAINS}
    found = [f"T{number:02} is in no list: see tools/pains/catalogue.py" for number in unknown]
    return [*sorted(found), *chain.from_iterable(_misfits(pain, results) for pain in PAINS)]


def _misfits(pain: Pain, results: Sequence[Result]) -> list[str]:
    tested = {b for b in BACKENDS if _shown(pain, b, results)}
    excused = {b for b in BACKENDS if reason_for(pain.number, b)}
    found = {
        "has neither a test nor a reason for having none": set(BACKENDS) - tested - excused,
        "has a test, and a reason for having none": tested & excused,
    }
    return [
        f"T{pain.number:02} {what}: {' '.join(b for b in BACKENDS if b in those)}"
        for what, those in found.items()
        if those
    ]


def _shown(pain: Pain, backend: str, results: Iterable[Result]) -> list[Result]:
    """Return what tells of a pain on a backend: a test that was skipped tells nothing."""
    return [
        result
        for result in results
        if pain.number in result.pains
        and backend in result.backends
        and result.outcome != "skipped"
    ]


def rendered(results: Sequence[Result]) -> str:
    """Return the table and its reasons as Markdown. It holds no counts or times, so that it changes
    only when tests come, go, move or fail.
    """
    head = ["T", "what is shown", "seen in", "tests", *BACKENDS]
    rows = [_row(pain, results) for pain in PAINS]
    lines = [_line(head), "|---" * len(head) + "|", *map(_line, rows), ""]
    return "\n".join([*lines, *(f"{n}. {why}" for n, why in enumerate(reasons(), 1)), ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(pain: Pain, results: Sequence[Result]) -> list[str]:
    own = [result for result in results if pain.number in result.pains]
    files = sorted({result.file for result in own})
    cells = [_cell(pain, backend, own) for backend in BACKENDS]
    return [f"T{pain.number:02}", pain.says, pain.seen, " ".join(map(_link, files)), *cells]


def _link(file: str) -> str:
    parts = [part for part in PurePosixPath(file).parts if part not in _LEFT_OUT]
    return f"[{'/'.join(parts[-2:])}](../{file})"


def _cell(pain: Pain, backend: str, results: Iterable[Result]) -> str:
    shown = _shown(pain, backend, results)
    if any(result.outcome == "failed" for result in shown):
        return "**failed**"
    why = reason_for(pain.number, backend)
    if not shown and why:
        return f"({reasons().index(why) + 1})"
    kinds = {result.kind for result in shown}
    return ", ".join(kind for kind in KINDS if kind in kinds)


def stale(results: Sequence[Result], document: str) -> list[str]:
    """Return what is wrong with the results, or the lines of the table in which they differ."""
    found = problems(results)
    now = filled(document, MARK, rendered(results))
    if found or now == document:
        return found
    there, wanted = document.splitlines(), now.splitlines()
    missing = [line for line in wanted if line not in there]
    return [
        "the table of tests-integration/README.md is not what the tests have shown:",
        *(f"+ {line}" for line in missing),
        *(f"- {line}" for line in there if line not in wanted),
    ]
