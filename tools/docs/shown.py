"""Compares what a page shows with what is printed."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["LEFT_OUT", "differences", "plain"]

LEFT_OUT = "..."
"""A line of a page that stands for any others."""

# What differs from one time, host and machine to the next.
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?"), "TIME"),
    (re.compile(r"\bdriven( in the background)? by process \d+( on \S+)?"), "driven"),
    (re.compile(r"\bprocess \d+( on \S+)?"), "process N"),
    (re.compile(r"; \d+ of them ended before; driven"), "; driven"),
    (re.compile(r", waited [0-9.hms]+"), ""),
    (re.compile(r" on \S+ as \d+"), " on HOST as N"),
    (re.compile(r"[\d,]+ at a time"), "N at a time"),
    (re.compile(r" \([0-9.,]+/s\)"), ""),
    (re.compile(r"\b(\d+[hm] ?)*\d+(\.\d+)? ?m?s\b"), "Ns"),
    (re.compile(r"\b[0-9.]+ (Ki|Mi|Gi|K|M|G)?B\b"), "N B"),
    (re.compile(r'"(at|started|ended|cpu|max_rss)": (\d+(\.\d+)?|null)'), r'"\1": N'),
    (re.compile(r'"host": "[^"]*"'), '"host": "HOST"'),
    (re.compile(r'"jid": ("\d+"|null)'), '"jid": N'),
    (re.compile(r"\b\d+(\.\d+){2,}(-\w+)?"), "VERSION"),
    (re.compile(r"(?<=\S)  +"), "  "),
)


def plain(text: str) -> str:
    """Return the text without times, speeds, sizes, versions, and names of hosts and processes."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


def differences(shown: str, printed: str) -> list[str]:
    """Return the lines that only one of them has, those that are missing behind `-`.

    Jobs end in any order, and so lines may be. A line of three points stands for any others.
    """
    wanted, seen = (Counter(plain(text).splitlines()) for text in (shown, printed))
    left_out = wanted.pop(LEFT_OUT, 0)
    missing = [f"- {line}" for line in (wanted - seen).elements()]
    return missing + [f"+ {line}" for line in (seen - wanted).elements() if not left_out]
