"""What the pages show is what one sees: each page is gone through in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..elsewhere import ELSEWHERE
from ..executing import complaints, execute, steps_of
from ..pages import PAGES, ROOT, RUN, Block, read_page

WORDLESS = {"", "bash", "shell", "py", "pycon", "shell-session"}


def here(page: str) -> list[Block]:
    """Return the blocks of a page that are to be executed here."""
    elsewhere = ELSEWHERE.get(page, {})
    return [
        block
        for block in read_page(page)
        if block.kind not in RUN or not {"*", block.name} & elsewhere.keys()
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_is_seen(page: str, tmp_path: Path) -> None:
    steps = steps_of(here(page))
    if any(not step.typed.isspace() for step in steps):
        found = complaints(steps, execute(steps, tmp_path, timeout=250))
        assert not found, "\n\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_a_block_says_what_it_is(page: str) -> None:
    assert [str(block) for block in read_page(page) if block.kind in WORDLESS] == []


@pytest.mark.parametrize("page, name", [(p, n) for p, names in ELSEWHERE.items() for n in names])
def test_what_is_left_out_is_there_and_shown_elsewhere(page: str, name: str) -> None:
    names = [block.name for block in read_page(page) if block.kind in RUN]
    assert name == "*" or name in names
    reason = ELSEWHERE[page][name]
    assert len(reason) > 15
    for file in re.findall(r"[\w./-]+\.py\b", reason):
        text = (ROOT / file).read_text()
        assert (page if name == "*" else f'"{name}"').rpartition("/")[2] in text
