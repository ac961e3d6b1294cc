"""What docs/compared.md shows of sched is what one sees, and what it counts is what one types."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from .documents import blocks, sessions, typed
from .test_readme import plain

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "compared.md").read_text()
UNMATCHED = ROOT / "docs" / "unmatched.md"

LEFT_OUT = "..."
# What depends on how fast the machine is, and how soon one looks.
VARYING = (
    (re.compile(r" in [0-9.]+s( \([0-9.]+/s\))?:"), " in Ns:"),
    (re.compile(r"; \d+ of them ended before; driven"), "; driven"),
    (re.compile(r"driven by process \d+ on \S+"), "driven"),
)


def lines(text: str) -> Counter[str]:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return Counter(plain(text).splitlines())


def is_seen(shown: str, printed: str) -> bool:
    """Whether all that is shown was printed, in any order, and no more where nothing is left out."""
    left_out = Counter({LEFT_OUT: shown.splitlines().count(LEFT_OUT)})
    wanted = lines(shown) - left_out
    return wanted <= lines(printed) if left_out[LEFT_OUT] else wanted == lines(printed)


@pytest.mark.timeout(300)
def test_what_is_shown_is_seen(tmp_path: Path) -> None:
    (files,) = blocks(DOCUMENT, "sh")
    assert typed(files, tmp_path) == ""
    for command, output in sessions(DOCUMENT):
        printed = typed(command, tmp_path)
        assert is_seen(output, printed), f"{command}\n{printed}"
    assert len(list(tmp_path.glob("*.txt.gz"))) == 1000


def test_what_is_typed_is_counted() -> None:
    counted = runpy.run_path(str(ROOT / "tools" / "keystrokes.py"))["table"](DOCUMENT)
    assert counted.count("\n") == 8
    assert counted in DOCUMENT


def test_what_nobody_else_has_is_shown_by_files_that_exist() -> None:
    rows = [line for line in UNMATCHED.read_text().splitlines() if re.match(r"\| +\d", line)]
    assert [int(row.split("|")[1]) for row in rows] == [*range(1, 15)]
    for row in rows:
        shown_by, missing = row.split("|")[-3:-1]
        links = re.findall(r"\]\(([^)#]+)", shown_by)
        assert links, row
        assert missing.strip(), row
        assert [link for link in links if not (UNMATCHED.parent / link).is_file()] == []
