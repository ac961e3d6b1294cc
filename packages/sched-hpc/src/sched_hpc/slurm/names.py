"""Names of submissions, as Slurm allows them. Pure."""

from __future__ import annotations

import re

__all__ = ["slurm_name"]

_ODD = re.compile(r"[^A-Za-z0-9_.+@:-]", re.ASCII)
_LONGEST = 200
"""Accounting keeps 255 bytes, and what is cut off could not be found again."""


def slurm_name(name: str) -> str:
    """Return the name with nothing in it that a list, a filter or a path pattern would split.

    The end, which tells one submission from another, is kept.
    """
    return _ODD.sub("_", name)[-_LONGEST:]
