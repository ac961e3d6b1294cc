"""What docs/benchmarks shows is what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ..sidebyside.command import FIELDS, RESULTS
from ..sidebyside.document import read
from ..sidebyside.page import page
from ..sidebyside.summary import lines_of
from ..table import number

PUBLISHED = read(RESULTS)


def test_the_published_page_is_made_of_the_published_results() -> None:
    assert [each["name"] for each in PUBLISHED] == list(FIELDS)
    assert RESULTS.with_name("index.md").read_text() == page(PUBLISHED)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("published", PUBLISHED, ids=[each["name"] for each in PUBLISHED])
def test_the_published_plots_show_the_published_results(
    published: Mapping[str, Any], theme: str
) -> None:
    drawn = RESULTS.with_name(f"{published['name']}-{theme}.svg").read_text()
    for line in lines_of(published):
        assert f">{line.name}</text>" in drawn
        assert line.failure or f">{number(line.typical)}</text>" in drawn
