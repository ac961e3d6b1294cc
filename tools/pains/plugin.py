"""The plugin of pytest that keeps what the tests of pains have shown: `--pains DIR`, `--pains-check`.

Of a session with xdist only the main process writes; what the tests are travels with their reports.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from .places import BACKENDS, KINDS, Place, place_of, told_by
from .results import NOT_RUN, Result, read, restored, worse, write
from .table import DOCUMENT, MEND, stale

_KEY = "pains"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pains")
    group.addoption(
        "--pains",
        type=Path,
        metavar="DIR",
        help="keep what the tests named test_tNN_... have shown in a file of this folder",
    )
    group.addoption(
        "--pains-check",
        action="store_true",
        help="fail where the table of tests-integration/README.md is not what all results in the folder say",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "witness(*backends, kind): what a test of a pain speaks for, where its place does not say it",
    )
    folder = config.getoption("pains")
    if config.getoption("pains_check") and folder is None:
        raise pytest.UsageError("--pains-check compares what --pains DIR has kept: name its folder")
    if folder is not None:
        config.pluginmanager.register(_Keeper(config, folder), "pains-keeper")


class _Keeper:
    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._folder = config.rootpath / folder
        self._is_worker = hasattr(config, "workerinput")
        self._results: dict[str, Result] = {}
        self._problems: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note with the test what it is a witness of, so that its reports tell it."""
        pains = told_by(getattr(item, "originalname", item.name))
        if pains:
            result = _witness(item, pains)
            item.user_properties.append((_KEY, json.dumps(asdict(result))))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self._config.option.collectonly:
            for item in session.items:
                self._take(dict(item.user_properties), NOT_RUN)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._take(dict(report.user_properties), report.outcome)

    def _take(self, properties: dict[str, object], outcome: str) -> None:
        if _KEY not in properties:
            return
        fields = json.loads(str(properties[_KEY]))
        test = fields["test"]
        before = self._results[test].outcome if test in self._results else outcome
        self._results[test] = replace(restored(fields), outcome=worse(before, outcome))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._is_worker:
            return
        write(self._folder, self._results.values())
        if self._config.getoption("pains_check"):
            self._problems = stale(read(self._folder), DOCUMENT.read_text())
            if self._problems and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._problems:
            terminalreporter.section("table of pains", red=True)
            terminalreporter.write_line("\n".join([*self._problems, MEND]))


def _witness(item: pytest.Item, pains: tuple[int, ...]) -> Result:
    path = item.nodeid.partition("::")[0]
    written = item.location[0]
    is_ours = ".." not in Path(written).parts and (item.config.rootpath / written).is_file()
    file = written if is_ours else path
    backends, kind = _place(item, path)
    return Result(item.nodeid, pains, file, backends, kind, NOT_RUN)


def _place(item: pytest.Item, path: str) -> Place:
    marker = item.get_closest_marker("witness")
    place = Place(marker.args, marker.kwargs["kind"]) if marker else place_of(path)
    if place is None or place.kind not in KINDS or not set(place.backends) <= set(BACKENDS):
        raise pytest.UsageError(
            f"{item.nodeid}: its place does not say what it is a witness of; mark it with"
            f" @pytest.mark.witness(BACKEND, kind=KIND): {', '.join(BACKENDS)}; {', '.join(KINDS)}"
        )
    return place
