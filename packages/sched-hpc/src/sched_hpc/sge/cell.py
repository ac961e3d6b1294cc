"""How a cell is set up, as qconf tells it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .notation import leading_number, parse_time, settings_of

__all__ = ["Config", "parse_config"]


@dataclass(frozen=True, slots=True)
class Config:
    """What of the cell's configuration matters here; a limit of 0 is none."""

    max_tasks: int = 0
    max_at_once: int = 0
    max_jobs: int = 0
    max_jobs_of_user: int = 0
    accounting: bool = True
    flush_time: int = 15

    @property
    def largest_array(self) -> int | None:
        """How many tasks an array may have, all of which may run at once."""
        return min((n for n in (self.max_tasks, self.max_at_once) if n), default=None)


def parse_config(text: str) -> Config:
    """Read the answer of `qconf -sconf`."""
    told = settings_of(text.replace("\\\n", " "))
    if "execd_spool_dir" not in told:
        raise ValueError(f"qconf has not told how the cell is set up: {text.strip()[:200]!r}")
    reporting = dict(
        word.partition("=")[::2] for word in re.split(r"[\s,]+", told.get("reporting_params", ""))
    )
    flush = reporting.get("accounting_flush_time") or reporting.get("flush_time", "")
    return Config(
        max_tasks=leading_number(told.get("max_aj_tasks", "")),
        max_at_once=leading_number(told.get("max_aj_instances", "")),
        max_jobs=leading_number(told.get("max_jobs", "")),
        max_jobs_of_user=leading_number(told.get("max_u_jobs", "")),
        accounting=reporting.get("accounting", "true") == "true",
        flush_time=int(parse_time(flush) or 0),
    )
