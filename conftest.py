"""What every package's tests share: `--full` and the fixture of that name."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tools.pains.plugin"]

_INTEGRATION = Path(__file__).parent / "tests-integration"
_TEMPLATE = Path("sched_core", "testing", "new_backend", "template")
"""What new backends are made of: a package of its own, whose tests run once it is installed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run the long forms: more chaos, more simulated faults, larger numbers",
    )
    parser.addoption(
        "--no-engines",
        action="store_true",
        help="leave out the folders of tests-integration, each of which starts a real engine",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests on real engines out where that was asked for, and those of packages to be."""
    if collection_path.parts[-len(_TEMPLATE.parts) :] == _TEMPLATE.parts:
        return True
    on_engine = collection_path.parent == _INTEGRATION and collection_path.is_dir()
    return True if on_engine and config.getoption("no_engines") else None


def pytest_configure() -> None:
    _have_hypothesis_watch_no_clock()
    _undo_what_is_ignored()


def _have_hypothesis_watch_no_clock() -> None:
    """An example that takes long tells of the machine's load only."""
    slow = HealthCheck.too_slow
    settings.register_profile(
        "any-machine", settings(), deadline=None, suppress_health_check=[slow]
    )
    settings.load_profile("any-machine")


def _undo_what_is_ignored() -> None:
    """What a caller such as nohup has ignored would be ignored by all that tests start."""
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `full` to `--full`: deselected, since a skip would mean that they cannot run."""
    if config.getoption("full"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long form of a test was asked for, instead of its seeded share of a minute."""
    return bool(pytestconfig.getoption("full"))
