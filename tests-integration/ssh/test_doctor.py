"""What doctor says of hosts that are well, and of each that is not: with the next step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sched_core.ports import SystemPorts
from sched_ssh import SshScheduler

from .hosts import Lab
from .namespaces import run

SCHED = Path(sys.executable).with_name("sched")
CHECKS = ["connection", "bash", "cores", "clock", "disk", "folder"]
Findings = dict[str, tuple[bool | None, str]]


async def doctor(workdir: Path, *servers: str, **options: Any) -> Findings:
    scheduler = SshScheduler(workdir, **{"servers": list(servers), **options})
    return {name: (verdict, detail) for name, verdict, detail in await scheduler.doctor()}


def details(found: Findings, verdict: bool | None) -> Sequence[str]:
    return [f"{name}: {detail}" for name, (its, detail) in found.items() if its is verdict]


async def test_hosts_that_are_well(apart: Lab, tmp_path: Path) -> None:
    found = await doctor(tmp_path / "run", "h1", "h2")
    assert list(found) == [f"{host}: {check}" for host in ("h1", "h2") for check in CHECKS]
    assert details(found, True) == [f"{name}: {detail}" for name, (_, detail) in found.items()]
    assert found["h1: connection"][1] == "to h1: its key is known, yours is let in"
    assert re.fullmatch(r"\d\.\d", found["h1: bash"][1])
    assert re.fullmatch(
        rf"{len(os.sched_getaffinity(0))}, [\d.]+ [MGT]iB of memory", found["h1: cores"][1]
    )
    assert re.fullmatch(r"[\d.]+ [KMGT]iB free", found["h1: disk"][1])
    folder = "not shared: files are brought to /home/alice/.cache/sched and back"
    assert found["h1: folder"][1] == folder
    assert not (tmp_path / "run").exists()


async def test_a_host_that_shares_the_disk(sharing: Lab, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    found = await doctor(tmp_path, "h1")
    assert found["h1: folder"] == (True, f"shared with this machine: {tmp_path}")
    assert os.listdir(tmp_path) == ["kept"]


async def test_one_that_is_not_well_hides_no_other(apart: Lab, tmp_path: Path) -> None:
    found = await doctor(tmp_path, servers={"h1": {"port": 2222}, "h2": {}})
    assert list(found) == ["h1: connection", *(f"h2: {check}" for check in CHECKS)]
    assert details(found, False) == [
        "h1: connection: h1 (10.99.2.11:2222) refuses the connection: does sshd run there, on that port?"
    ]


async def test_a_key_that_is_unknown_and_one_that_has_changed(apart: Lab, tmp_path: Path) -> None:
    one, two = apart.hosts[:2]
    (apart.home / ".ssh/known_hosts").write_text(f"{one.address} {two.key()}\n")
    try:
        found = await doctor(tmp_path, "h1", "h2")
    finally:
        apart.write_home()
    changed, unknown = details(found, False)
    assert re.search(r"^h1: .* CHANGED its host key.* remove the old one with `ssh-keygen", changed)
    assert re.search(r"^h2: .* host key is unknown; connect once by hand \(`ssh h2`\)", unknown)


async def test_a_user_who_is_not_let_in(apart: Lab, tmp_path: Path) -> None:
    key = tmp_path / "other"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.fspath(key)])
    found = await doctor(tmp_path, servers={"h1": {"keyfile": key}})
    (problem,) = details(found, False)
    assert re.search(r"h1 .*lets nobody in.*try `ssh h1 true`; name the right user", problem)


async def test_a_host_that_swallows_everything(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    host.swallow()
    host.cut()
    found = await doctor(tmp_path, "h1", connect_timeout=1)
    (problem,) = details(found, False)
    assert "does not answer: is it up, and does a firewall let you through?" in problem


async def test_a_host_without_bash(lab: Lab, tmp_path: Path) -> None:
    lab.host(shell="/bin/dash", SetEnv="PATH=/nowhere")
    (problem,) = details(await doctor(tmp_path, "h1"), False)
    assert re.search(r"h1 ends the login .*bash: not found; .*install it there", problem)


@pytest.mark.parametrize("ahead", [-3600, 3600])
async def test_a_wrong_clock(
    apart: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    right = SystemPorts.now
    monkeypatch.setattr(SystemPorts, "now", lambda ports: right(ports) - ahead)
    (warning,) = details(await doctor(tmp_path, "h1"), None)
    word = "ahead" if ahead > 0 else "behind"
    assert re.fullmatch(rf"h1: clock: 3[56]\d\d s {word}: set it \(NTP\), or .*", warning)


async def test_a_disk_that_is_nearly_full(apart: Lab, tmp_path: Path) -> None:
    found = await doctor(tmp_path, servers={"h1": {"workdir": "/small/runs"}})
    (warning,) = details(found, None)
    assert re.search(r"h1: disk: [\d.]+ ([KM]i)?B free; .*give workdir for the server", warning)


async def test_a_folder_that_cannot_be_written(apart: Lab, tmp_path: Path) -> None:
    found = await doctor(tmp_path, servers={"h1": {"workdir": "/usr/runs"}})
    (problem,) = details(found, False)
    assert problem == "h1: folder: /usr/runs cannot be written; give workdir for the server"


async def test_keys_that_are_not_checked(apart: Lab, tmp_path: Path) -> None:
    found = await doctor(tmp_path, "h1", insecure_skip_host_key_check=True)
    (warning,) = details(found, None)
    assert "the host key is not checked" in warning


def test_the_command(apart: Lab, tmp_path: Path) -> None:
    def sched(servers: str) -> tuple[int, str]:
        argv = [os.fspath(SCHED), "doctor", "ssh", "-o", f"servers={servers}"]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    code, said = sched("h1,h2")
    assert (code, "FAIL" in said) == (0, False)
    assert "ok    ssh h2: connection: to h2: its key is known, yours is let in\n" in said
    code, said = sched('{"h1": {}, "h2": {"port": 2222}}')
    assert code == 1
    assert "FAIL  ssh h2: connection: h2 (10.99.2.12:2222) refuses the connection" in said
    assert "ok    ssh h1: folder: " in said
    assert os.listdir(tmp_path) == []
