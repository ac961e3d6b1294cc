from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import sched_meta
import sched_meta.registry
from sched_core import Scheduler
from sched_core.errors import NoSuchSchedulerError, WrongSchedulerTypeError
from sched_core.testing.importing import side_effects
from sched_local import LocalScheduler
from sched_meta.cli.schedulers import schedulers

from .recorded import record_run


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Entry points of a group of one's own, by name."""
    values = {"local": "sched_local:LocalScheduler"}

    def find(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in values.items()]

    monkeypatch.setattr("importlib.metadata.entry_points", find)
    return values


def test_name_gives_the_class() -> None:
    assert LocalScheduler is sched_meta.get_scheduler("local")


def test_class_is_given_back() -> None:
    class Own(LocalScheduler):
        pass

    assert Own is sched_meta.get_scheduler(Own)


def test_names_are_those_of_the_group(entry_points: dict[str, str]) -> None:
    entry_points["alpha"] = "nowhere:Alpha"
    assert sched_meta.scheduler_names() == ["alpha", "local"]
    assert "local" in sched_meta.scheduler_names("sched.schedulers")


def test_group_of_ones_own() -> None:
    with pytest.raises(NoSuchSchedulerError):
        sched_meta.get_scheduler("local", group="no.such.group")


@pytest.mark.parametrize(
    "name, hint",
    [
        ("Local", "did you mean 'local'?"),
        ("locl", "did you mean 'local'?"),
        ("gbatch", "to install it: pip install 'sched-meta[gbatch]'"),
        ("SSH", "to install it: pip install 'sched-meta[ssh]'"),
        ("gbtach", "did you mean 'gbatch'? To install it: pip install 'sched-meta[gbatch]'"),
        ("container", "to install it: pip install 'sched-meta[container]'"),
        ("kubernetes", "installed are: local"),
        ("", "installed are: local"),
    ],
)
@pytest.mark.usefixtures("entry_points")
def test_unknown_name_says_what_may_have_been_meant(name: str, hint: str) -> None:
    with pytest.raises(NoSuchSchedulerError) as raised:
        sched_meta.get_scheduler(name)
    assert f"there is no scheduler {name!r}; {hint}" == str(raised.value)
    assert isinstance(raised.value, LookupError)


@pytest.mark.usefixtures("entry_points")
def test_what_is_missing_is_told_with_what_to_type() -> None:
    assert sched_meta.registry.missing_schedulers() == {
        "container": "pip install 'sched-meta[container]'",
        "gbatch": "pip install 'sched-meta[gbatch]'",
        "sge": "pip install 'sched-meta[hpc]'",
        "slurm": "pip install 'sched-meta[hpc]'",
        "ssh": "pip install 'sched-meta[ssh]'",
    }


@pytest.mark.usefixtures("entry_points")
def test_list_of_schedulers_tells_what_else_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    schedulers.main([], standalone_mode=False)
    shown = capsys.readouterr()
    assert "\nlocal  sched_local:LocalScheduler" in shown.out
    assert "sched: for sge and slurm: pip install 'sched-meta[hpc]'\n" in shown.err


@pytest.mark.parametrize(
    "name, told",
    [
        ("sge", r"^the scheduler of .*/run is not installed: pip install 'sched-meta\[hpc\]'$"),
        ("local", "cannot be loaded: No module named 'sched_away'; install its package"),
        ("another", "cannot be loaded: No module named 'sched_away'; install its package"),
    ],
)
@pytest.mark.usefixtures("entry_points")
def test_run_of_a_scheduler_that_is_not_here(tmp_path: Path, name: str, told: str) -> None:
    folder = record_run(tmp_path / "run", (), scheduler=(name, "sched_away:Scheduler"))
    with pytest.raises(NoSuchSchedulerError, match=told):
        folder.scheduler()


def test_entry_point_that_does_not_import_names_its_cause(entry_points: dict[str, str]) -> None:
    entry_points["broken"] = "sched_no_such_module:Broken"
    with pytest.raises(NoSuchSchedulerError, match="'broken' is installed and cannot be") as raised:
        sched_meta.get_scheduler("broken")
    assert "ModuleNotFoundError: No module named 'sched_no_such_module'" in str(raised.value)
    assert isinstance(raised.value.__cause__, ImportError)


@pytest.mark.parametrize("value", ["json:JSONDecoder", "json:dumps", "json"])
def test_entry_point_that_is_no_scheduler(entry_points: dict[str, str], value: str) -> None:
    entry_points["odd"] = value
    with pytest.raises(WrongSchedulerTypeError, match=r"a subclass of sched_core\.Scheduler"):
        sched_meta.get_scheduler("odd")


@pytest.mark.parametrize("given", [None, 1, dict, LocalScheduler.__init__])
def test_what_is_neither_a_name_nor_a_scheduler(given: object) -> None:
    with pytest.raises(WrongSchedulerTypeError):
        sched_meta.get_scheduler(given)  # type: ignore[arg-type]


def test_base_class_is_a_scheduler() -> None:
    assert Scheduler is sched_meta.get_scheduler(Scheduler)


HEAVY = {"anyio", "asyncio", "click", "hypothesis", "importlib.metadata", "pluggy", "rich", "trio"}


def modules_after(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, sep='\\n')"]
    return set(subprocess.check_output(command, text=True).split())


def test_t44_import_loads_nothing_heavy_and_no_backend() -> None:
    found = modules_after("import sched_meta")
    assert not found & (HEAVY | {"sched_core", "sched_local"})


def test_t44_names_import_no_backend() -> None:
    found = modules_after("import sched_meta; sched_meta.scheduler_names()")
    assert not found & {"sched_core", "sched_local", "anyio"}


def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_meta", "sched_meta.cli.run") == []
