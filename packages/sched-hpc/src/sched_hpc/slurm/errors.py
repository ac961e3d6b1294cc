"""What Slurm's tools complain of, sorted by who has to act. Pure."""

from __future__ import annotations

import re

from ..cluster.tool import Verdict

__all__ = ["BUSY", "is_misconfigured", "judge_submission", "said"]

# The request may have arrived: it broke off on its way, or only its answer was lost.
_UNKNOWN = re.compile(
    r"""Socket\ timed\ out | Zero\ Bytes\ were\ transmitted | Connection\ reset | Broken\ pipe
    | Unexpected\ message\ received | Message\ receive\ failure | Header\ lengths\ are\ longer
    | Message\ send\ failure | Communication\ shutdown\ failure | Failed\ to\ send\ entire\ message
    | Insane\ message\ length | zero\ length\ message
    | (?s:\A(?!.*slurm_msg_sendto:).*Unexpected\ missing\ socket)""",
    re.VERBOSE,
)
# The request certainly did not arrive (what breaks off while it is sent is not read), or Slurm
# asks to come again.
_UNAVAILABLE = re.compile(
    r"""slurm_msg_sendto:
    | Unable\ to\ contact\ slurm\ controller | Connection\ refused | Munge\ | munge\ encode
    | authentication | credential | Transport\ endpoint | standby\ mode | establish\ a?\ ?config
    | temporarily\ unable | Resource\ temporarily\ unavailable | rate\ limit | RPC\ limit
    | MaxSubmit | MaxJobs?Limit | Slurm\ is\ starting | Unable\ to\ resolve | No\ route\ to\ host
    | process\ configuration\ file | I/O\ error\ writing\ script | Communication\ connection\ failure
    | controller\ not\ responding | No\ space\ left""",
    re.VERBOSE | re.IGNORECASE,
)
BUSY = re.compile(r"rate limit|RPC limit|Socket timed out", re.IGNORECASE)
"""What the tools say where the controller has too much to do."""
_MISCONFIGURED = re.compile(
    r"establish a? ?configuration source|process configuration file", re.IGNORECASE
)
_TOLD_BY = re.compile(r"(?:sbatch|squeue|sacct|scancel|scontrol): (?:error: |fatal: )?")
_NO_CAUSE = re.compile(r"Batch job submission failed: ")


def judge_submission(stderr: str) -> Verdict:
    """Tell what a failed submission means."""
    if _UNKNOWN.search(stderr):
        return "unknown"
    return "unavailable" if _UNAVAILABLE.search(stderr) else "rejected"


def is_misconfigured(stderr: str) -> bool:
    """Tell whether a tool has not found out where Slurm is: no waiting helps."""
    return _MISCONFIGURED.search(stderr) is not None


def said(stderr: str) -> str:
    """Return the engine's own words, without who says them."""
    lines = [_TOLD_BY.sub("", line).strip() for line in stderr.splitlines()]
    words = [_NO_CAUSE.sub("", line) for line in lines if line]
    return "; ".join(dict.fromkeys(words)) or "it said nothing"
