"""How bash reads the places of a line, as far as safe quoting has to know.

Where a construct is too involved to be sure, the answer is a refusal, never a guess.
"""

from __future__ import annotations

import re

__all__ = ["Scanner"]


class Scanner:
    """Walks over a line of bash once and tells, place by place, what quoting is in force."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._stack = ["plain"]
        self._unit = "literal"
        self._refused = ""
        self._evaluated = [match.span() for match in _EVALUATING_TEST.finditer(line)]

    def context_at(self, place: int) -> str:
        """Return 'plain', 'quoted' or 'literal'; or, in words, why a value cannot stand there.

        Places are asked in ascending order.
        """
        while self._at < place:
            self._step()
        if self._at > place:
            return self._unit
        if "arithmetic" in self._stack:
            return _ARITHMETIC
        if any(start < place < end for start, end in self._evaluated):
            return _IN_TEST
        if self._refused:
            return self._refused
        return "quoted" if self._stack[-1] == "quoted" else "plain"

    def _step(self) -> None:
        if not self._skip_unit() and not self._open_or_close():
            self._at += 1

    def _skip_unit(self) -> bool:
        quoted = self._stack[-1] == "quoted"
        for pattern, context, in_quotes in _UNITS:
            match = pattern.match(self._line, self._at)
            if match and (in_quotes or not quoted):
                self._at = match.end()
                self._unit = context
                return True
        return False

    def _open_or_close(self) -> bool:
        top = self._stack[-1]
        closing = _CLOSINGS.get(top)
        if closing and self._next_is(closing):
            self._stack.pop()
            self._at += len(closing)
            return True
        for opening, context in _OPENINGS if top == "quoted" else _PLAIN_OPENINGS:
            if self._next_is(opening):
                self._open(opening, context)
                return True
        self._note_what_is_too_involved(top)
        return False

    def _open(self, opening: str, context: str) -> None:
        # `))` inside of "$( )" might close the one or the other.
        if context == "arithmetic" and "parenthesis" in self._stack and "quoted" in self._stack:
            self._refused = 'stands behind arithmetic in "$( )"'
        self._stack.append(context)
        self._at += len(opening)

    def _note_what_is_too_involved(self, top: str) -> None:
        if self._next_is("${"):
            self._refused = "stands in or behind a ${...} with quotes or expansions of its own"
        elif top in ("plain", "parenthesis") and self._next_is("<<"):
            self._refused = "stands in or behind a here-document (<<)"
        elif "quoted" in self._stack and top == "parenthesis" and _CASE.match(self._line, self._at):
            self._refused = 'stands behind a `case` in "$( )"'

    def _next_is(self, text: str) -> bool:
        return self._line.startswith(text, self._at)


# bash evaluates what stands in arithmetic, the commands in an array's subscript included.
_ARITHMETIC = "stands in arithmetic, where bash would run what a value says"
_IN_TEST = (
    "stands in a [[ ]] that compares numbers, where bash would run what a value says (use [ ])"
)
_EVALUATING_TEST = re.compile(r"\[\[(?:(?!\]\]).)*?\s-(?:eq|ne|lt|le|gt|ge)\s.*?\]\]", re.DOTALL)
_CASE = re.compile(r"(?<![\w-])case\s")

# What is read over as a whole, what it means for a place in it, and whether "..." may hold it.
_UNITS = (
    (re.compile(r"\\.", re.DOTALL), "literal", True),
    (re.compile(r"'[^']*(?:'|\Z)"), "literal", False),
    (re.compile(r"\$'(?:[^'\\]|\\.)*(?:'|\Z)", re.DOTALL), "literal", False),
    (re.compile(r"(?:(?<=[\s;&|()<>])|\A)#[^\n]*"), "literal", False),
    (re.compile(r"`(?:[^`\\]|\\.)*(?:`|\Z)", re.DOTALL), "stands in backquotes (use $( ))", True),
    (re.compile(r"\$\{[^{}'\"`\\$()]*\}"), "stands in ${...}", True),
    (re.compile(r"\$\[[^\]]*\]?"), _ARITHMETIC, True),
    (re.compile(r"<<<"), "literal", False),
)
_OPENINGS = (("$((", "arithmetic"), ("$(", "parenthesis"))
_PLAIN_OPENINGS = (*_OPENINGS, ("((", "arithmetic"), ("(", "parenthesis"), ('"', "quoted"))
_CLOSINGS = {"quoted": '"', "parenthesis": ")", "arithmetic": "))"}
