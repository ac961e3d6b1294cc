"""The fenced examples of a README."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"

_FENCE = re.compile(r"(?:<!-- example: (\w+) -->\n)?```python\n(.*?)```\n", re.DOTALL)


def examples(readme: Path = README) -> list[tuple[str, str]]:
    """Return the name, empty for none, and the code of each example."""
    return [(match[1] or "", match[2]) for match in _FENCE.finditer(readme.read_text())]


def example(name: str) -> str:
    (code,) = [code for found, code in examples() if found == name]
    return code
