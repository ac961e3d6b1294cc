from __future__ import annotations

import pytest

from ..marked import filled, marked

DOCUMENT = "before\n<!-- part: begin -->\nold\n<!-- part: end -->\nafter\n"


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    now = filled(DOCUMENT, "part", "new\n")
    assert now == DOCUMENT.replace("old", "new")
    assert marked(now, "part") == "new\n"


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<!-- part: end -->\n",
        "<!-- part: begin -->\n",
        "<!-- part: end -->\n<!-- part: begin -->\n",
    ],
)
def test_a_document_without_both_marks_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match=r"no <!-- part: begin --> \.\.\. <!-- part: end -->"):
        filled(document, "part", "new\n")
    with pytest.raises(ValueError, match="part: begin"):
        marked(document, "part")
