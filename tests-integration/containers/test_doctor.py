"""What doctor says of engines that are well, and of what they lack: with the next step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler

from .machines import Docker, Engine
from .test_outcomes import engine, keeper, scheduler

__all__ = ["engine", "keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

SCHED = Path(sys.executable).with_name("sched")
Findings = Mapping[str, tuple[bool | None, str]]


async def doctor(engine: Engine, folder: Path, **options: Any) -> Findings:
    found = await scheduler(engine, folder, **options).doctor()
    return {name: (verdict, detail) for name, verdict, detail in found}


async def test_all_is_well(engine: Engine, tmp_path: Path) -> None:
    found = await doctor(engine, tmp_path)
    assert {name for name, (verdict, _) in found.items() if verdict is False} == set()
    assert engine.name in found["engines"][1]
    assert found["engine"][0]
    assert found["image"] == (True, engine.image)
    assert found["bash"][0]
    assert found["bash"][1].startswith("/bin/bash is 5.")
    assert not engine.left()
    assert not (tmp_path / "run").exists()


async def test_limits_are_enforced_for_root_alone(engine: Engine, tmp_path: Path) -> None:
    verdict, detail = (await doctor(engine, tmp_path))["limits"]
    if os.geteuid() == 0:
        assert (verdict, detail) == (True, "memory and cpus are enforced")
    elif verdict is None:
        assert "have systemd delegate cgroups v2 to you" in detail


async def test_an_image_that_is_not_here(keeper: Engine, tmp_path: Path) -> None:
    found = await doctor(keeper, tmp_path, image="localhost/no/such:1")
    assert found["image"][0] is False
    assert "No such image: localhost/no/such:1; fetch it (pull)" in found["image"][1]
    found = await doctor(keeper, tmp_path, image="localhost/no/such:1", pull="missing")
    assert found["image"][0] is None
    assert "fetched before the first job" in found["image"][1]
    assert "bash" not in found


async def test_an_image_that_is_no_file(apptainer: Engine, tmp_path: Path) -> None:
    found = await doctor(apptainer, tmp_path, image="/no/such.sif")
    assert found["image"][0] is False
    assert "could not open image /no/such.sif; name a file" in found["image"][1]
    found = await doctor(apptainer, tmp_path, image="docker://no/such:1", pull="missing")
    assert found["image"][0] is None


async def test_an_image_without_bash(engine: Engine, tmp_path: Path) -> None:
    found = await doctor(engine, tmp_path, entrypoint="/no/bash")
    assert found["bash"][0] is False
    assert found["bash"][1].endswith("; name the bash that the image has (entrypoint)")
    found = await doctor(engine, tmp_path, entrypoint=["/bin/sh"])
    assert found["bash"] == (
        False,
        "/bin/sh is no bash; jobs need 4.2 or newer: name another image, or an entrypoint of it",
    )
    assert not engine.left()


async def test_an_engine_that_is_not_installed(tmp_path: Path) -> None:
    scheduler = ContainerScheduler(tmp_path, image="x", bin=f"{tmp_path}/podman")
    found = {name: (verdict, detail) for name, verdict, detail in await scheduler.doctor()}
    words = f"{tmp_path}/podman is not there; install it, or name another engine (bin)"
    assert found["engine"] == (False, words)
    assert found.keys() == {"engines", "engine"}


async def test_a_daemon_that_is_away(docker: Docker, tmp_path: Path) -> None:
    docker.daemon.stop()
    try:
        found = await doctor(docker, tmp_path)
    finally:
        docker.restart()
    verdict, detail = found["engine"]
    assert verdict is False
    assert "Cannot connect to the Docker daemon" in detail
    assert "systemctl start docker" in detail
    assert "image" not in found


def test_the_command_needs_no_image(engine: Engine, tmp_path: Path) -> None:
    def sched(*options: str) -> tuple[int, str]:
        given = [word for option in (f"bin={engine.name}", *options) for word in ("-o", option)]
        argv: list[str | Path] = [SCHED, "doctor", "container", *given]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    code, said = sched()
    assert (code, "FAIL" in said) == (0, False)
    assert "ok    container engine: " in said
    assert "container image" not in said
    extra = ["bin_args=--network none"] if engine.name != "apptainer" else []
    code, said = sched(f"image={engine.image}", "pull=never", *extra)
    assert code == 0
    assert f"ok    container image: {engine.image}\n" in said
    code, said = sched("image=/no/such", "pull=never")
    assert code == 1
    assert "FAIL  container image: " in said
    assert os.listdir(tmp_path) == []
