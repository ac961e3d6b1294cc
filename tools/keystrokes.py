"""How many characters each task of docs/compared.md takes: `python3 tools/keystrokes.py`."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "compared.md"
PROGRAMS = ("sched", "GNU parallel", "HyperQueue", "Nextflow")

_TASK = re.compile(r"^## (\d+\. .*)\n", re.MULTILINE)
_BLOCK = re.compile(r"^```(?:console|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(rf"^# ({'|'.join(PROGRAMS)})\b")
_PROMPT = "$ "
# Its sections show nothing that is printed: what has no prompt goes into a file.
_WITH_FILES = "Nextflow"


def table(document: str) -> str:
    """Return the rows of the table: what is typed by task and program, ends of lines included."""
    _, *parts = _TASK.split(document)
    return "".join(
        _row(title, typed(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)
    )


def typed(section: str) -> dict[str, int]:
    """Return the number of characters by program; a block is sched's until a line names another."""
    counts = dict.fromkeys(PROGRAMS, 0)
    for block in _BLOCK.findall(section):
        program = PROGRAMS[0]
        for line in block.splitlines():
            if named := _PROGRAM.match(line):
                program = named[1]
            elif line.startswith(_PROMPT):
                counts[program] += len(line.removeprefix(_PROMPT)) + 1
            elif program == _WITH_FILES:
                counts[program] += len(line) + 1
    return counts


def _row(task: str, counts: dict[str, int]) -> str:
    return f"| {task} | {' | '.join(str(counts[program]) for program in PROGRAMS)} |\n"


if __name__ == "__main__":
    print(table(DOCUMENT.read_text()), end="")
