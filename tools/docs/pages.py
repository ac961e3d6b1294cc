"""The pages that people read, taken apart into what can be executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

__all__ = ["PAGES", "ROOT", "RUN", "Block", "example", "read_page"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        ROOT / "packages" / "sched-meta" / "README.md",
        *ROOT.glob("docs/**/*.md"),
    ]
)
"""Those that are gone through; what other READMEs show is programs, which tests run one by one."""

RUN = ("sh", "console", "python")
"""The languages of blocks that are executed; others are read only."""

_MARK = re.compile(r"<!-- (example|setup|file|output)(?:: (.*?))? -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, or a `setup`, as it is read from a page.

    `kind` is the language, `setup`, `file` (`name` says which) or `output`, of the block before it.
    `name` is that of a marked example, else empty.
    """

    page: str
    line: int
    kind: str
    text: str
    name: str = ""

    def __str__(self) -> str:
        """Where it stands, as an editor takes it."""
        return f"{self.page}:{self.line}"


def read_page(page: str) -> list[Block]:
    """Return the blocks of a page, which is named by its path in the repository, in their order.

    What GitHub does not show says more about them: `<!-- example: NAME -->` before a block gives it a name,
    `<!-- file: NAME -->` has it written to a file, `<!-- output -->` compares it with what the block before
    it prints, and `<!-- setup: COMMAND -->` is executed where it stands.
    """
    from markdown_it import MarkdownIt

    return list(_blocks(page, MarkdownIt("commonmark").parse((ROOT / page).read_text())))


def _blocks(page: str, tokens: Sequence[Token]) -> Iterator[Block]:
    marks: dict[str, str] = {}
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            yield _fence(page, line, token, marks)
        marks = dict(_MARK.findall(token.content)) if token.type == "html_block" else {}
        if "setup" in marks:
            yield Block(page, line, "setup", marks["setup"])


def _fence(page: str, line: int, token: Token, marks: dict[str, str]) -> Block:
    language = token.info.split(" ")[0]
    for kind in ("file", "output"):
        if kind in marks:
            return Block(page, line, kind, token.content, marks[kind])
    return Block(page, line, language, token.content, marks.get("example", ""))


def example(page: str, name: str) -> str:
    """Return the text of the block of that name."""
    (found,) = [block.text for block in read_page(page) if block.name == name]
    return found
