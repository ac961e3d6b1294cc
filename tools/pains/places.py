"""What a test is a witness of: the backend it speaks for and what stood in for the engine, by its place."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

__all__ = ["BACKENDS", "KINDS", "Place", "place_of", "told_by"]

BACKENDS = ("core", "local", "slurm", "sge", "ssh", "container", "gbatch")

KINDS = {
    "engine": "the real engine",
    "emulator": "a server of the tests' own that the engine's unmodified client libraries talk to",
    "fake": "programs or objects of the tests' own that keep state and answer as the engine's do",
    "simulator": "`sched_core.testing.simulator`, in virtual time",
    "unit": "the code alone",
}
"""What stood in for the engine, the strongest witness first."""


class Place(NamedTuple):
    """The backends that a test speaks for, and a word of `KINDS`."""

    backends: tuple[str, ...]
    kind: str


_PLACES = {
    "packages/sched-core": Place(("core",), "unit"),
    "packages/sched-core/tests/simulation": Place(("core",), "simulator"),
    "packages/sched-core/tests/test_contract.py": Place(("core",), "fake"),
    "packages/sched-core/tests/test_recall.py": Place(("core",), "fake"),
    "packages/sched-core/tests/test_rough_engine.py": Place(("core",), "fake"),
    "packages/sched-local": Place(("local",), "engine"),
    "packages/sched-meta": Place(("local",), "engine"),
    "packages/sched-hpc": Place(("slurm",), "fake"),
    "packages/sched-hpc/tests/test_slurm_text.py": Place(("slurm",), "unit"),
    "packages/sched-hpc/tests/test_sge_text.py": Place(("sge",), "unit"),
    "packages/sched-ssh": Place(("ssh",), "unit"),
    "packages/sched-container": Place(("container",), "fake"),
    "packages/sched-gbatch": Place(("gbatch",), "fake"),
    "packages/sched-gbatch/tests/test_definition.py": Place(("gbatch",), "unit"),
    "packages/sched-gbatch/tests/test_names.py": Place(("gbatch",), "unit"),
    "packages/sched-gbatch/tests/test_states.py": Place(("gbatch",), "unit"),
    "tests-integration/slurm": Place(("slurm",), "engine"),
    "tests-integration/sge": Place(("sge",), "engine"),
    "tests-integration/ssh": Place(("ssh",), "engine"),
    "tests-integration/containers": Place(("container",), "engine"),
    "tests-integration/gbatch": Place(("gbatch",), "emulator"),
}
"""The innermost folder or file decides; the marker `witness` of a test says otherwise."""

_NAME = re.compile(r"test((?:_t\d\d)+)_")


def told_by(name: str) -> tuple[int, ...]:
    """Return the numbers that a test function's name begins with: `test_t06_t07_...` shows T06 and T07."""
    found = _NAME.match(name)
    return tuple(int(word[1:]) for word in found[1].split("_")[1:]) if found else ()


def place_of(path: str) -> Place | None:
    """Return what a test of this file is a witness of, if its place says so."""
    pure = PurePosixPath(path)
    return next((_PLACES[str(p)] for p in (pure, *pure.parents) if str(p) in _PLACES), None)
