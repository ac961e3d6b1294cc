"""Names of submissions, as Grid Engine allows them. Pure."""

from __future__ import annotations

import re

__all__ = ["sge_name"]

_REFUSED = re.compile(r"[^A-Za-z0-9_.+-]", re.ASCII)
_LONGEST = 200
"""Accounting keeps 255 bytes, and what is cut off could not be found again."""


def sge_name(name: str) -> str:
    r"""Return the name as Grid Engine takes it and gives it back: plain, and no number first.

    It refuses `/ : @ * ? \`, spaces and what is not ASCII, and changes others in its answers.
    """
    legal = _REFUSED.sub("_", name)[-_LONGEST:]
    if not legal[:1].isalpha() or legal.upper() in ("NONE", "ALL", "TEMPLATE"):
        legal = "j" + legal[1 - _LONGEST :]
    return legal
