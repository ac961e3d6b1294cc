"""What doctor says of machines that cannot be had everywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_container.doctor import Machine, check_engines
from sched_core.model.container import Container

from .fake import FakeDocker

UID = 4321
"""Of a user without a name here."""
REPAIR = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {UID}"
DELEGATED = {"cgroupVersion": "v2", "cgroupControllers": ["cpu", "memory", "pids"]}

Findings = Mapping[str, tuple[bool | None, str]]


@pytest.fixture
def podman(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path, "podman")


@pytest.fixture
def apptainer(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path, "apptainer")


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have no engine on the PATH but those of the test."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cp", "env"):
        (tools / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{tools}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the files of a machine that has all."""
    folder = tmp_path / "root"
    files = {
        "etc/subuid": f"{UID}:100000:65536\n",
        "etc/subgid": f"somebody:1:1\n{UID}:100000:65536\n",
        "proc/sys/user/max_user_namespaces": "63000\n",
        "proc/sys/kernel/unprivileged_userns_clone": "1\n",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("newuidmap", "newgidmap"):
        (tmp_path / name).touch(mode=0o755)
    return folder


def checked(
    engine: FakeDocker, root: Path, *, uid: int = UID, image: str = "img", **options: Any
) -> Findings:
    container = Container(image=image, engine=str(engine.program), **options)
    found = check_engines(container, machine=Machine(root, uid))
    return {name: (verdict, detail) for name, verdict, detail in found}


def test_docker_that_is_well(docker: FakeDocker, root: Path) -> None:
    found = checked(docker, root)
    assert found["engine"] == (True, f"{docker.program} answers: 28.2.2")
    assert found["limits"] == (True, "memory and cpus are enforced")
    assert found["image"] == (True, "img")
    assert found["bash"][0]
    assert found.keys() == {"engines", "engine", "limits", "image", "bash"}


def test_what_is_installed(podman: FakeDocker, root: Path, tmp_path: Path) -> None:
    (tmp_path / "singularity").write_text("#!/bin/bash\nexit 1\n")
    (tmp_path / "singularity").chmod(0o755)
    assert checked(podman, root)["engines"] == (True, "podman 28.2.2, singularity, which fails")


def test_nothing_is_installed(root: Path, tmp_path: Path) -> None:
    found = check_engines(Container(image="img"), machine=Machine(root, UID))
    assert found == [
        ("engines", False, "there is none of docker, podman, apptainer, singularity: install one"),
        ("engine", False, "docker is not there; install it, or name another engine (bin)"),
    ]


def test_a_daemon_that_is_away(docker: FakeDocker, root: Path) -> None:
    docker.be("down")
    verdict, detail = checked(docker, root)["engine"]
    assert verdict is False
    assert "Cannot connect to the Docker daemon" in detail
    assert "; start it (systemctl start docker)" in detail


def test_containers_that_cannot_be_started(docker: FakeDocker, root: Path) -> None:
    docker.be("down_for_runs")
    found = checked(docker, root)
    assert found["image"][0]
    assert found["bash"][0] is False


def test_a_kernel_that_cannot_limit(docker: FakeDocker, root: Path) -> None:
    docker.info(MemoryLimit=False, CpuCfsQuota=True)
    assert checked(docker, root)["limits"] == (
        None,
        "the kernel cannot limit memory: leave that out of resources",
    )
    docker.info(MemoryLimit=False, CpuCfsQuota=False)
    assert checked(docker, root)["limits"] == (
        None,
        "the kernel cannot limit memory and cpus: leave that out of resources",
    )


def test_an_engine_that_tells_nothing_of_itself(docker: FakeDocker, root: Path) -> None:
    docker.info()
    assert "limits" not in checked(docker, root)


# --- rootless ----------------------------------------------------------------------------------------


def test_rootless_podman_that_is_well(podman: FakeDocker, root: Path) -> None:
    podman.info(host=DELEGATED)
    found = checked(podman, root)
    assert {verdict for verdict, _ in found.values()} == {True}
    assert found.keys() >= {"limits", "user namespaces", "users"}


def test_podman_of_root_needs_none_of_it(podman: FakeDocker, tmp_path: Path) -> None:
    podman.info(host={"cgroupVersion": "v1", "cgroupControllers": []})
    found = checked(podman, tmp_path / "nothing", uid=0)
    assert {verdict for verdict, _ in found.values()} == {True}
    assert not found.keys() & {"user namespaces", "users"}


@pytest.mark.parametrize(
    "host,words",
    [
        ({"cgroupVersion": "v1", "cgroupControllers": ["cpu", "memory"]}, "memory and cpus"),
        (DELEGATED | {"cgroupControllers": ["memory"]}, "cpus"),
        (DELEGATED | {"cgroupControllers": None}, "memory and cpus"),
    ],
)
def test_limits_that_rootless_podman_would_leave_out(
    podman: FakeDocker, root: Path, host: dict[str, Any], words: str
) -> None:
    podman.info(host=host)
    verdict, detail = checked(podman, root)["limits"]
    assert verdict is None
    assert detail == f"no {words} in resources: have systemd delegate cgroups v2 to you"


def test_limits_that_apptainer_refuses(apptainer: FakeDocker, root: Path) -> None:
    assert checked(apptainer, root, image=str(root))["limits"][0]
    (root / "sys/fs/cgroup/cgroup.controllers").write_text("cpu pids\n")
    assert checked(apptainer, root, image=str(root))["limits"] == (
        None,
        "no memory in resources: have systemd delegate cgroups v2 to you",
    )


@pytest.mark.parametrize("name", ["subuid", "subgid"])
def test_a_user_without_a_range(podman: FakeDocker, root: Path, name: str) -> None:
    (root / "etc" / name).write_text("somebody:100000:65536\n")
    assert checked(podman, root)["users"] == (None, f"no range for {UID} in /etc/{name}: {REPAIR}")


def test_a_user_without_files_of_ranges(podman: FakeDocker, root: Path) -> None:
    for name in ("subuid", "subgid"):
        (root / "etc" / name).unlink()
    assert checked(podman, root)["users"] == (
        None,
        f"no range for {UID} in /etc/subuid and /etc/subgid: {REPAIR}",
    )


def test_ranges_that_nothing_can_use(podman: FakeDocker, root: Path, tmp_path: Path) -> None:
    (tmp_path / "newuidmap").unlink()
    assert checked(podman, root)["users"] == (False, "there is no newuidmap: install uidmap")


def test_a_range_by_the_users_name(podman: FakeDocker, root: Path) -> None:
    machine = Machine(root, os.geteuid())
    for name in ("subuid", "subgid"):
        (root / "etc" / name).write_text(f"{machine.user}:1:1\n")
    found = check_engines(Container(image="img", engine=str(podman.program)), machine=machine)
    told = [verdict for name, verdict, _ in found if name == "users"]
    assert told == ([True] if os.geteuid() else [])


@pytest.mark.parametrize(
    "path,text,verdict,words",
    [
        ("user/max_user_namespaces", "0\n", False, "user.max_user_namespaces"),
        ("kernel/unprivileged_userns_clone", "0\n", False, "kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1\n", None, "AppArmor"),
    ],
)
def test_user_namespaces_that_cannot_be_made(
    apptainer: FakeDocker, root: Path, path: str, text: str, verdict: bool | None, words: str
) -> None:
    (root / "proc/sys" / path).write_text(text)
    found = checked(apptainer, root, image=str(root))["user namespaces"]
    assert found[0] is verdict
    assert words in found[1]


def test_rootless_docker_is_looked_at_as_well(docker: FakeDocker, root: Path) -> None:
    docker.info(MemoryLimit=True, CpuCfsQuota=True, SecurityOptions=["name=rootless"])
    assert checked(docker, root).keys() >= {"user namespaces", "users"}


# --- the image -----------------------------------------------------------------------------------------


def test_an_image_that_is_not_here(docker: FakeDocker, root: Path) -> None:
    assert checked(docker, root, image="other")["image"][0] is None
    verdict, detail = checked(docker, root, image="other", pull="never")["image"]
    assert (verdict, detail) == (
        False,
        "No such image: other; fetch it (pull), or name another image",
    )


def test_a_bash_that_is_old(docker: FakeDocker, root: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/bash\necho '4.1.2(1)-release'\n")
    old.chmod(0o755)
    assert checked(docker, root, entrypoint=(str(old),))["bash"] == (
        False,
        (
            f"{old} is 4.1.2(1)-release; jobs need 4.2 or newer: name another image, or an entrypoint "
            "of it"
        ),
    )


@pytest.mark.anyio
async def test_no_image_is_needed(docker: FakeDocker, tmp_path: Path) -> None:
    scheduler = ContainerScheduler.for_doctor(tmp_path / "run", bin=str(docker.program))
    found = {name: verdict for name, verdict, _ in await scheduler.doctor()}
    assert found["engine"]
    assert "image" not in found
    assert not (tmp_path / "run").exists()
    scheduler = ContainerScheduler.for_doctor(
        tmp_path / "run", container="img", bin=str(docker.program)
    )
    assert "image" in {name for name, _, _ in await scheduler.doctor()}
