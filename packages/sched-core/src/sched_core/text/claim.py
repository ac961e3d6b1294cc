"""A claim: who started an attempt, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .usage import usage_of_claim

__all__ = ["FENCE", "Claim", "claim_name", "parse_claim", "parse_claim_name", "render_fence"]

FENCE = "fence"
"""Stands for the engine's id in a claim that a driver has created, so that nothing can start."""

_NAME = re.compile(r"job\.claim\.(0|[1-9][0-9]*)(?:\.r([1-9][0-9]*))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim says, as far as it could be written and read: anything may be missing.

    `pid` and `start` are the recorder's, `leader` and `leader_start` those of the command's process
    group; start times are ticks since boot. Without `rc` the attempt has not ended, or its end
    could not be recorded. `failure` is the class of a failure, as in `model.failure`.
    """

    jid: str = ""
    restart: int = 0
    host: str = ""
    boot_id: str = ""
    pid: int | None = None
    start: int | None = None
    claimed: float | None = None
    leader: int | None = None
    leader_start: int | None = None
    set_up: bool = False
    timed_out: bool = False
    signal: str | None = None
    rc: int | None = None
    failure: str | None = None
    ended: float | None = None
    user_cpu: float | None = None
    system_cpu: float | None = None
    max_rss: int | None = None
    """The most memory that it had, in bytes, where the recorder could see that."""
    position: int = 0
    """Which start of the attempt it is: 0, or n for the engine's n-th further one."""
    inside_rc: int | None = None
    """What the command in a container ended with, as told from inside."""
    inside_failure: str | None = None
    sealed: bool = False
    """Whether a driver has given the attempt up: there will be no further start, and no record."""

    @property
    def cpu(self) -> float | None:
        """Seconds that processors have spent for the user and the system together."""
        if self.user_cpu is None or self.system_cpu is None:
            return None
        return round(self.user_cpu + self.system_cpu, 3)

    @property
    def is_fence(self) -> bool:
        """Whether a driver made it, so that this attempt never starts."""
        return self.jid == FENCE

    @property
    def finished(self) -> bool:
        """Whether it tells of a good end."""
        return self.rc == 0 and self.failure is None

    @property
    def complete(self) -> bool:
        """Whether it says who made it: the first line is there."""
        return self.claimed is not None


def claim_name(attempt: int, restart: int = 0) -> str:
    """Name the claim of an attempt, or of its `restart`-th start by the engine."""
    return f"job.claim.{attempt}.r{restart}" if restart else f"job.claim.{attempt}"


def parse_claim_name(name: str) -> tuple[int, int] | None:
    """Return attempt and restart of a claim's name, None for any other name."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2] or 0)) if match else None


def render_fence(host: str, boot_id: str, pid: int, start: int, now: float) -> bytes:
    """Return the claim with which a driver fences an attempt; create it exclusively."""
    return f"{FENCE} 0 {host} {boot_id} {pid} {start} {now:.6f}\n".encode()


def parse_claim(data: bytes) -> Claim:
    """Read a claim, whatever of it is there: a line without its end says nothing, but that it is a
    fence, which its driver was writing when it died.
    """
    if b"\n" not in data and data.startswith(f"{FENCE} ".encode()):
        return Claim(jid=FENCE)
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    return Claim(**_head(lines[:1]), **_marks(lines[1:]), **_usage(lines[1:]))  # type: ignore[arg-type]  # one dict a part


def _head(lines: list[str]) -> dict[str, object]:
    words = lines[0].split(" ") if lines else []
    if len(words) != 7 or not (words[4].isdecimal() and words[5].isdecimal()):
        return {}
    return {
        "jid": words[0],
        "restart": _integer(words[1]) or 0,
        "host": words[2],
        "boot_id": words[3],
        "pid": int(words[4]),
        "start": int(words[5]),
        "claimed": _number(words[6]),
    }


def _marks(lines: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for line in lines:
        match line.split(" "):
            case ["P", pid, start] if pid.isdecimal() and start.isdecimal():
                found |= {"leader": int(pid), "leader_start": int(start)}
            case ["X"]:
                found["set_up"] = True
            case ["T"]:
                found["timed_out"] = True
            case ["G", name]:
                found["signal"] = name
            case ["C", rc, failure] if rc.isdecimal():
                found["inside_rc"] = int(rc)
                found["inside_failure"] = None if failure == "-" else failure
            case ["E", rc, failure, ended] if rc.isdecimal():
                found |= {"rc": int(rc), "ended": _number(ended)}
                found["failure"] = None if failure == "-" else failure
            case _:
                pass
    return found


def _usage(lines: list[str]) -> dict[str, object]:
    used = usage_of_claim(lines)
    return {
        "user_cpu": used.user_cpu,
        "system_cpu": used.system_cpu,
        "max_rss": used.max_rss,
    }


def _integer(word: str) -> int | None:
    return int(word) if word.isdecimal() else None


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
