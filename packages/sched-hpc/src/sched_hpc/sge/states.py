"""Every state that Grid Engine tells of a job, long and short, in one table.

See qstat(1), "OUTPUT FORMATS": a state is a word of letters, one for each thing that is true of the
job. Releases differ in which letters they write together (`Rq`, `hRwq`), not in what each says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sched_core import EngineState, Failure

__all__ = ["SgeState", "state_of"]


@dataclass(frozen=True, slots=True)
class SgeState:
    """What a state means. `known` is False for one with letters or words that the table lacks."""

    state: EngineState
    failure: Failure | None = None
    restarted: bool = False
    deleted: bool = False
    known: bool = True


_WAITS, _RUNS, _ENDED = EngineState.WAITING, EngineState.RUNNING, EngineState.SUCCEEDED

# What is said first counts: an error more than that it waits, a suspension more than the run.
_TABLE: tuple[tuple[str, str, EngineState | None], ...] = (
    ("E", "error", EngineState.FAILED),
    ("z", "zombie finished", _ENDED),
    ("s", "suspended", _RUNS),
    ("S", "queue_suspended", _RUNS),
    ("T", "alarm", _RUNS),
    ("N", "notified", _RUNS),
    ("P", "preempted", _RUNS),
    ("r", "running", _RUNS),
    ("t", "transferring", _WAITS),  # on its way to a host, where it may fail to start
    ("h", "hold held", _WAITS),
    ("q", "queued", _WAITS),
    ("w", "waiting pending", _WAITS),
    ("R", "restarted re-submit re-queue re-run", None),
    ("d", "deletion deleted deleting", None),
)
_RANK = {letter: rank for rank, (letter, _, _) in enumerate(_TABLE)}
_STATES = {letter: state for letter, _, state in _TABLE}
_LETTERS = {word: letter for letter, words, _ in _TABLE for word in words.split()}
_FILLERS = frozenset("all with states and by user system job queue".split())


def state_of(text: str) -> SgeState:
    """Return what a state means: `hRwq`, or in words such as `running, re-submit`.

    What is not known of it keeps the job where it is: the engine has it.
    """
    letters, known = _letters(text.strip())
    states = [_STATES[x] for x in sorted(letters, key=_RANK.__getitem__) if _STATES[x] is not None]
    state = states[0] if states else None
    if state is None or not known:
        state, known = _WAITS, False
    if state is EngineState.FAILED and "r" in letters:
        state = _RUNS  # it is its queue that has an error
    failure = Failure.SETUP if state is EngineState.FAILED else None
    return SgeState(state, failure, "R" in letters, "d" in letters, known)


def _letters(text: str) -> tuple[set[str], bool]:
    words = [word for word in text.lower().replace(",", " ").split() if word not in _FILLERS]
    if words and all(word in _LETTERS for word in words):
        return {_LETTERS[word] for word in words}, True
    letters = set(text)
    return letters & _RANK.keys(), bool(letters) and letters <= _RANK.keys()
