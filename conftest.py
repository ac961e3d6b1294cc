"""What every package's tests share: `--full` and the fixture of that name."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run the long forms: more chaos, more simulated faults, larger numbers",
    )


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long form of a test was asked for, instead of its seeded share of a minute."""
    return bool(pytestconfig.getoption("full"))
