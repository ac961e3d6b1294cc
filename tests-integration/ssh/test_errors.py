"""Hosts that cannot be used: an error that names the host and the next step, soon."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus
from sched_ssh.troubles import HostUnavailable

from .helpers import run_of
from .hosts import Lab
from .namespaces import run


async def why(workdir: Path, *servers: str, **options: Any) -> str:
    """Return why a run cannot be opened."""
    with pytest.raises(HostUnavailable) as caught:
        async with run_of(workdir, *servers, existing="reuse", **options):
            raise AssertionError("it was opened")
    return str(caught.value)


async def test_a_host_key_that_is_unknown(apart: Lab, tmp_path: Path) -> None:
    known = apart.home / ".ssh/known_hosts"
    known.write_text("")
    try:
        said = await why(tmp_path / "run", "h1")
    finally:
        apart.write_home()
    assert re.search(r"^h1 .*host key is unknown; connect once by hand \(`ssh h1`\)", said)


async def test_a_host_key_that_has_changed(apart: Lab, tmp_path: Path) -> None:
    known = apart.home / ".ssh/known_hosts"
    one, two = apart.hosts[:2]
    known.write_text(f"{one.address} {two.key()}\n")
    try:
        said = await why(tmp_path / "run", "h1")
    finally:
        apart.write_home()
    assert re.search(rf"^h1 .*CHANGED its host key.*ssh-keygen -R {one.address}", said)


async def test_a_key_that_is_not_let_in(apart: Lab, tmp_path: Path) -> None:
    key = tmp_path / "other"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.fspath(key)])
    said = await why(tmp_path / "run", servers={"h1": {"keyfile": key}})
    assert re.search(r"^h1 .*lets nobody in.*ssh h1 true.*keyfile", said)


async def test_a_key_with_a_passphrase_and_no_agent(apart: Lab, tmp_path: Path) -> None:
    key = tmp_path / "locked"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", os.fspath(key)])
    said = await why(tmp_path / "run", servers={"h1": {"keyfile": key}})
    assert re.search(rf"^h1.*ssh-add {key}", said)


async def test_a_key_that_is_not_there(apart: Lab, tmp_path: Path) -> None:
    said = await why(tmp_path / "run", servers={"h1": {"keyfile": tmp_path / "none"}})
    assert re.search(r"^h1.*No such file.*none", said)


async def test_a_port_that_refuses(apart: Lab, tmp_path: Path) -> None:
    said = await why(tmp_path / "run", servers={"h1": {"port": 2222}})
    assert re.search(r"^h1 \(.*:2222\) refuses the connection: does sshd run", said)


async def test_a_host_that_is_not_there(apart: Lab, tmp_path: Path) -> None:
    said = await why(tmp_path / "run", servers={"gone": {"host": "10.99.2.200"}})
    assert re.search(r"^gone \(.*\) cannot be reached: No route to host", said)


async def test_a_host_that_swallows_everything(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    host.swallow()
    host.cut()
    said = await why(tmp_path / "run", "h1", connect_timeout=1)
    assert re.search(r"^h1 .*does not answer.*firewall", said)


async def test_a_name_that_cannot_be_resolved(apart: Lab, tmp_path: Path) -> None:
    said = await why(tmp_path / "run", "no-such-host.invalid")
    assert re.search(r"^no-such-host.invalid: its name cannot be resolved", said)


async def test_one_that_can_be_used_is_enough(
    apart: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    servers = {"h1": {"port": 2222}, "h2": {}}
    async with run_of(tmp_path / "run", servers=servers) as runner:
        job = await runner.wait(await runner.feed(["hostname"]))
        assert (job.status, job.host) == (JobStatus.FINISHED, "h2")
    assert "h1 (10.99.2.11:2222) refuses the connection" in caplog.text


async def test_host_keys_are_only_skipped_in_so_many_words(
    apart: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (apart.home / ".ssh/known_hosts").write_text("")
    try:
        async with run_of(tmp_path / "run", "h1", insecure_skip_host_key_check=True) as runner:
            job = await runner.wait(await runner.feed(["hostname"]))
    finally:
        apart.write_home()
    assert job.status is JobStatus.FINISHED
    assert "host keys are not checked" in caplog.text
