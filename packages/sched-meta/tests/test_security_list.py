"""SECURITY.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACES = ("packages/*/tests", "packages/*/src/*/testing", "tests-integration")


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text("utf-8")))
    files = (file for place in PLACES for top in ROOT.glob(place) for file in top.rglob("*.py"))
    there = {
        name
        for file in files
        for name in re.findall(
            r"^ *(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE
        )
    }
    assert len(named) > 50
    assert named - there == set()
