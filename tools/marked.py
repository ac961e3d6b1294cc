"""Parts of documents that a tool writes: they stand between two marks, which no reader sees."""

from __future__ import annotations

__all__ = ["filled", "marked"]


def marked(document: str, name: str) -> str:
    """Return what stands between the marks of that name. Raises ValueError where they are not there."""
    return _split(document, name)[1]


def filled(document: str, name: str, text: str) -> str:
    """Return the document with the text, which ends with a line end, between the marks of that name.

    Raises ValueError where they are not there.
    """
    before, _, after = _split(document, name)
    return f"{before}{text}{after}"


def _split(document: str, name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, mark, rest = document.partition(begin)
    inside, end_mark, after = rest.partition(end)
    if not (mark and end_mark):
        raise ValueError(f"the document has no {begin.strip()} ... {end.strip()}")
    return before + mark, inside, end_mark + after
