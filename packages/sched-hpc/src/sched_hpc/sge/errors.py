"""What Grid Engine's tools complain of, sorted by who has to act. Pure."""

from __future__ import annotations

import re

from ..cluster.tool import Verdict

__all__ = ["BUSY", "is_misplaced", "judge_submission", "said"]

# The request certainly did not arrive, or Grid Engine asks to come again.
_UNAVAILABLE = re.compile(
    r"""Connection\ refused | only\ \d+\ jobs\ are\ allowed | No\ route\ to\ host
    | can't\ resolve\ host | unable\ to\ contact\ qmaster | qmaster\ is\ (?:down|shutting)
    | No\ space\ left | Resource\ temporarily | unable\ to\ spool | can't\ write
    | access\ denied\ to\ spool""",
    re.VERBOSE | re.IGNORECASE,
)
# The request may have arrived: what went wrong is how it was answered.
_UNKNOWN = re.compile(
    r"""commlib\ error | got\ (?:select|read|send|write)\ error | unable\ to\ send\ message
    | failed\ receiving | timeout | timed\ out | Connection\ reset | no\ answer""",
    re.VERBOSE | re.IGNORECASE,
)
BUSY = re.compile(r"timeout|timed out", re.IGNORECASE)
"""What the tools say where the qmaster has too much to do."""
_MISPLACED = re.compile(r"SGE_ROOT|SGE_CELL|cell directory|unable to read qmaster name")
_TOLD_BY = re.compile(
    r"""(?:qsub|qstat|qdel|qalter|qacct|qconf|critical\ error|error|denied|warning):\ +
    | Unable\ to\ run\ job:\ + (?:error:\ +)? | job\ rejected:\ +
    | Unable\ to\ initialize\ environment\ because\ of\ error:\ + """,
    re.VERBOSE,
)


def judge_submission(stderr: str) -> Verdict:
    """Tell what a failed submission means."""
    if _UNAVAILABLE.search(stderr):
        return "unavailable"
    return "unknown" if _UNKNOWN.search(stderr) else "rejected"


def is_misplaced(stderr: str) -> bool:
    """Tell whether the tool does not know which cell it is for."""
    return _MISPLACED.search(stderr) is not None


def said(text: str) -> str:
    """Return the engine's own words, without who says them."""
    lines = [_without_teller(line.strip()) for line in text.splitlines()]
    words = [line for line in lines if line and line != "Exiting."]
    return "; ".join(dict.fromkeys(words)) or "it said nothing"


def _without_teller(line: str) -> str:
    while match := _TOLD_BY.match(line):
        line = line[match.end() :]
    return line
