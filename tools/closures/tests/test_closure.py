from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ..closure import Closure, Found, misfits, package_name, read_environment
from ..installs import Install

INSTALL = Install(
    "sched-x[more]",
    trial="x",
    imports="import sched_x",
    schedulers=("x",),
    most_packages=3,
    most_megabytes=1.5,
)
FOUND = Found(
    Closure({"sched-core": 500_000, "sched-x": 500_000, "anyio": 500_000}),
    schedulers=frozenset({"x"}),
    loaded=frozenset({"anyio", "sched-core", "sched-x"}),
    side_effects=(),
)


def put_package(site: Path, name: str, files: dict[str, str], entry_points: str = "") -> None:
    """Leave what an installer leaves, its records included."""
    info = f"{name}-1.dist-info"
    (site / info).mkdir(parents=True)
    texts = {f"{info}/METADATA": f"Name: {name}\nVersion: 1\n"} | files
    if entry_points:
        texts[f"{info}/entry_points.txt"] = entry_points
    for path, text in texts.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (site / info / "RECORD").write_text("".join(f"{path},,\n" for path in texts))


def test_an_environment_is_read_by_the_records_of_its_packages(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "site-packages"
    entry = "[sched.schedulers]\nx = sched_x:X\n[console_scripts]\nprogram = sched_x:main\n"
    put_package(site, "Sched_X", {"sched_x/a.py": "1234", "../../bin/program": "123"}, entry)
    put_package(site, "anyio", {"anyio.py": "12", "__pycache__/anyio.cpython-311.pyc": "x" * 999})
    (site / "nobodys.py").write_text("of no package")
    closure, schedulers = read_environment(site)
    told = len("Name: Sched_X\nVersion: 1\n" + entry)
    assert closure.sizes == {"sched-x": told + 7, "anyio": len("Name: anyio\nVersion: 1\n") + 2}
    assert schedulers == {"x"}


@pytest.mark.parametrize("written", ["python-on-whales", "python_on_whales", "Python.On__Whales"])
def test_a_package_has_one_name(written: str) -> None:
    assert package_name(written) == "python-on-whales"


def test_an_install_that_is_as_it_is_meant_to_be() -> None:
    assert misfits(INSTALL, FOUND) == []


@pytest.mark.parametrize(
    "found, told",
    [
        (replace(FOUND, schedulers=frozenset()), "does not offer x"),
        (replace(FOUND, schedulers=frozenset({"x", "z", "y"})), "offers the schedulers y, z"),
        (replace(FOUND, loaded=frozenset({"rich", "anyio"})), "loads on import rich"),
        (
            replace(FOUND, side_effects=("threads",)),
            "does more on import than define names: threads",
        ),
        (replace(FOUND, closure=Closure({"sched-x": 1, "anyio": 1})), "does not bring sched-core"),
        (
            replace(FOUND, closure=Closure({"sched-x": 1, "sched-core": 1, "sched-y": 1})),
            "brings sched-y",
        ),
        (
            replace(FOUND, closure=Closure(dict(FOUND.closure.sizes, pluggy=0))),
            "is 4 packages, and may be 3",
        ),
        (
            replace(FOUND, closure=Closure(dict(FOUND.closure.sizes, anyio=600_000))),
            "takes 1.6 MB, and may take 1.5",
        ),
    ],
)
def test_what_is_not_as_it_is_meant_to_be_is_told(found: Found, told: str) -> None:
    assert misfits(INSTALL, found) == [f"sched-x[more] {told}"]
