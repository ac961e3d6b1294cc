"""What to type next, as far as the counts and failures of a run tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sched_core.model.failure import Failure

if TYPE_CHECKING:
    from .failuregroup import FailureGroup
    from .runfolder import RunFolder

__all__ = ["next_steps"]

_WANTS = {Failure.OUT_OF_MEMORY.value: "--memory SIZE", Failure.TIMEOUT.value: "--time LIMIT"}
"""What another attempt needs more of, where it is not known how much there was."""
_WORDS = {Failure.OUT_OF_MEMORY.value: "oom"}
_OUTPUT_TELLS = frozenset({Failure.EXIT.value, Failure.OUTPUT.value, Failure.SETUP.value})


def next_steps(
    counts: Mapping[str, int], folder: RunFolder, groups: Sequence[FailureGroup] = ()
) -> list[str]:
    """The commands to type next, the best first."""
    steps = list(_steps(counts, folder, groups))
    return [
        f"{'next:   ' if number == 0 else '        '} {step}" for number, step in enumerate(steps)
    ]


def _steps(
    counts: Mapping[str, int], folder: RunFolder, groups: Sequence[FailureGroup]
) -> Iterator[str]:
    classes = {group.failure for group in groups}
    if counts["failed"] and (not classes or classes & _OUTPUT_TELLS):
        yield f"sched logs {folder} failed --stderr"
    if counts["waiting"] or counts["running"] or counts["interrupted"]:
        yield f"sched resume {folder}"
    elif counts["failed"] or counts["killed"]:
        yield from _retries(folder, groups)
    elif counts["finished"]:
        yield f"sched cat {folder}"
        yield f"sched results {folder}"


def _retries(folder: RunFolder, groups: Sequence[FailureGroup]) -> Iterator[str]:
    """A line for each class that needs more of something, and one for all others."""
    classes = list(dict.fromkeys(group.failure for group in groups))
    short = [failure for failure in classes if failure in _WANTS]
    for failure in short:
        word = _WORDS.get(failure, failure.lower())
        wants = {group.wants for group in groups if group.failure == failure}
        more = wants.pop() if len(wants) == 1 else ""
        yield f"sched retry {folder} --failure {word} {more or _WANTS[failure]}"
    refused = Failure.REJECTED.value
    if classes == [refused]:
        yield f"sched explain {folder} {groups[0].indexes[0]}"  # another attempt changes nothing
    elif len(short) < len(classes) or not classes:
        others = [
            name for name in classes if short and name in Failure.__members__ and name not in _WANTS
        ]
        yield f"sched retry {folder}" + "".join(f" --failure {name.lower()}" for name in others)
