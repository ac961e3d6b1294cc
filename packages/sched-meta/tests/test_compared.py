"""What docs/compared.md counts is what one types, and what docs/unmatched.md names is there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "compared.md").read_text()
UNMATCHED = ROOT / "docs" / "unmatched.md"


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
