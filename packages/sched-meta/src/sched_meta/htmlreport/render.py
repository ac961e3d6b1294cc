"""The page: a template, a style sheet and scripts, all of it in one file that loads nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from ..wording import count_of, plain
from . import charts, tables
from .advice import advice_on
from .columns import MOST_ATTEMPTS, MOST_JOBS, columns, embedded
from .data import Report
from .reproduce import commands
from .statistics import spread
from .usage import usages
from .words import cores, moment, span

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["render_report"]

_SCRIPTS = ("words.js", "paint.js", "timeline.js", "controls.js", "table.js")


def render_report(report: Report) -> str:
    """Return the page as HTML, in ASCII.

    Whatever jobs are called, run or print, it stays text: it is escaped, and the page forbids
    itself all scripts and styles but its own, and to load anything.
    """
    environment = _environment()
    style, script = _asset("page.css"), "\n".join(map(_asset, _SCRIPTS))
    page = environment.get_template("page.html").render(
        _context(report),
        style=_markup(style),
        script=_markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_markup(embedded(columns(report))),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__, "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _harmless(value: object) -> object:
    """Take from texts what would turn or hide what stands beside them."""
    return plain(value) if type(value) is str else value


def _markup(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)


def _asset(name: str) -> str:
    from importlib.resources import files

    return files(__package__).joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _context(report: Report) -> dict[str, Any]:
    found = usages(report)
    return {
        "report": report,
        "version": _version(),
        "begun": moment(report.begun),
        "made": moment(report.now),
        "tiles": _tiles(report),
        "counts": [(word, number) for word, number in report.counts.items() if number],
        "total": len(report.jobs),
        "over_time": [
            charts.jobs_over_time(report),
            charts.waiting_over_time(report),
            charts.throughput(report),
        ],
        "distributions": charts.distributions(report),
        "advice": advice_on(report, found),
        "usage": tables.usage_rows(found),
        "failures": tables.failure_rows(report),
        "slowest": tables.slowest_rows(report),
        "hosts": tables.host_rows(report),
        "retried": tables.retried_rows(report),
        "number_retried": sum(len(of_job) > 1 for of_job in report.attempts.values()),
        "escalations": tables.escalations(report),
        "commands": commands(report),
        "most_jobs": MOST_JOBS,
        "most_attempts": MOST_ATTEMPTS,
    }


def _version() -> str:
    from importlib.metadata import version

    return version("sched-meta")


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """Name, value and a remark: what one wants to know first."""
    walls = spread(a.wall for a in report.all_attempts if a.wall is not None)
    processors = [(a.cpu, a.wall) for a in report.all_attempts if a.cpu is not None and a.wall]
    took = "so far" if report.goes_on else ""
    tiles = [("Jobs", f"{len(report.jobs):,}", _retries(report)), ("Took", span(report.took), took)]
    if walls:
        tiles.append(("Work", span(walls.total), "of all attempts"))
        tiles.append(("Median job", span(walls.median), f"the longest {span(walls.most)}"))
    if processors:
        used, time = (sum(values) for values in zip(*processors, strict=True))
        tiles.append(("CPU time", span(used), f"{cores(used / time)} on average"))
    return tiles


def _retries(report: Report) -> str:
    more = len(report.all_attempts) - len(report.last_attempts)
    return f"and {count_of(more, 'more attempt')}" if more else ""
