"""docs/simulator.md: its examples are run, and its table of faults is the one that there is."""

from __future__ import annotations

import re
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from sched_core.testing import simulator
from sched_core.testing.simulator import Fault

pytestmark = pytest.mark.once

DOCUMENT = Path(__file__).parents[4] / "docs" / "simulator.md"
_BLOCKS = re.findall(r"```python\n(.*?)```\n", DOCUMENT.read_text(), re.DOTALL)
_TABLE = re.compile(r"<!-- faults: begin -->\n(.*?)<!-- faults: end -->\n", re.DOTALL)


@pytest.mark.parametrize("code", _BLOCKS)
def test_examples_are_tests_that_pass(code: str) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, str(DOCUMENT), "exec"), names)  # our own document
    tests = [found for name, found in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_the_table_of_faults_is_current() -> None:
    rows = "".join(f"| `{fault}` | {fault.doc} |\n" for fault in Fault)
    (table,) = _TABLE.findall(DOCUMENT.read_text())
    assert table == f"| fault | what happens |\n|---|---|\n{rows}"


def test_whatever_is_public_says_what_it_is_for() -> None:
    for name in simulator.__all__:
        found = getattr(simulator, name)
        if isinstance(found, type | FunctionType):
            assert found.__doc__, name
