"""Results of sessions: one file a session, of which a test's newest result counts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

__all__ = ["NOT_RUN", "Result", "read", "restored", "with_outcomes", "worse", "write"]

NOT_RUN = "not run"
_OUTCOMES = ("passed", "skipped", NOT_RUN, "failed")


@dataclass(frozen=True)
class Result:
    """What one test (one parameter set of it) has shown."""

    test: str
    pains: tuple[int, ...]
    file: str
    """Where the test is written, which is elsewhere than where it runs for the contract's tests."""
    backends: tuple[str, ...]
    kind: str
    outcome: str
    """`passed`, `skipped`, `failed` or, of a test that was only collected, `NOT_RUN`."""


def worse(one: str, other: str) -> str:
    """Return the outcome of a test whose phases (set-up, call, tear-down) ended like this."""
    return max(one, other, key=_OUTCOMES.index)


def write(folder: Path, results: Iterable[Result]) -> None:
    """Add the results of a session to the folder, which is made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns()}-{os.getpid()}.json"
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def read(folder: Path) -> list[Result]:
    """Return the results of all sessions in the folder, the newest of each test."""
    sessions = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    newest = {result.test: result for session in sessions for result in map(restored, session)}
    return list(newest.values())


def with_outcomes(collected: Iterable[Result], ran: Iterable[Result]) -> list[Result]:
    """Return the tests that there are, each with what came of it when it ran last."""
    outcomes = {result.test: result.outcome for result in ran}
    return [replace(result, outcome=outcomes.get(result.test, NOT_RUN)) for result in collected]


def restored(fields: Mapping[str, Any]) -> Result:
    """Return what `asdict` made these fields of, and JSON lists of its tuples."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Result(**given)
