"""What the jobs themselves have noted: starts and ends, as names of empty files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Start", "read_starts"]


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """One start of a job's command; times are microseconds since 1970."""

    index: int
    began: int
    attempt: int
    restart: int
    jid: str
    ended: int | None = None
    rc: int | None = None
    beside: bool = False
    """Whether another one of the same job lived."""

    def __str__(self) -> str:
        end = "no end" if self.ended is None else f"rc {self.rc} after {self.lasted:.3f} s"
        restart = f", restart {self.restart}" if self.restart else ""
        return f"attempt {self.attempt}{restart} ({self.jid}) at {self.began / 1e6:.3f}: {end}"

    @property
    def lasted(self) -> float:
        """Seconds from its start to its end, 0 where no end is known."""
        return (self.ended - self.began) / 1e6 if self.ended is not None else 0.0


def read_starts(names: Iterable[str]) -> list[Start]:
    """Return the starts of all jobs, each job's in their order."""
    starts: dict[str, dict[str, object]] = {}
    ends: dict[str, tuple[int, int]] = {}
    beside: set[str] = set()
    for name in names:
        stem, _, kind = name.rpartition(".")
        if kind == "start":
            index, attempt, restart, jid, began = stem.split(".")
            starts[stem] = {"index": int(index), "attempt": int(attempt), "jid": jid}
            starts[stem] |= {"restart": int(restart), "began": int(began)}
        elif kind == "end":
            stem, rc, ended = stem.rsplit(".", 2)
            ends[stem] = int(rc), int(ended)
        elif kind == "beside":
            beside.add(stem)
    found = []
    for stem, words in starts.items():
        code, end = ends.get(stem, (None, None))
        found.append(Start(**words, rc=code, ended=end, beside=stem in beside))  # type: ignore[arg-type]  # numbers and a text
    return sorted(found)
