"""Keys: of files, of files with a passphrase, and of a real agent."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..daemons import Daemon, need_programs
from ..daemons import until as until_so
from ..engines import or_skip
from .helpers import outcome, run_of
from .hosts import Lab
from .namespaces import run
from .test_errors import why

_SECRET = "not for others"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a key with a passphrase."""
    locked = tmp_path_factory.mktemp("keys") / "locked"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", _SECRET, "-f", os.fspath(locked)])
    return locked


@pytest.fixture
def hosts(apart: Lab, locked: Path) -> Iterator[Lab]:
    """Hosts that let that key in, and no other."""
    kept = [(host.home / ".ssh/authorized_keys").read_bytes() for host in apart.hosts]
    for host in apart.hosts:
        (host.home / ".ssh/authorized_keys").write_bytes(Path(f"{locked}.pub").read_bytes())
    yield apart
    for host, keys in zip(apart.hosts, kept, strict=True):
        (host.home / ".ssh/authorized_keys").write_bytes(keys)
    apart.write_home()


@contextmanager
def agent_with(key: Path) -> Iterator[str]:
    """Run an agent that has the key, and tell where it listens."""
    folder = tempfile.mkdtemp(prefix="sched-agent-")  # a socket's path is not long
    path, log = Path(folder, "agent"), Path(folder, "log")
    started = Daemon("ssh-agent", ["ssh-agent", "-D", "-a", os.fspath(path)], log, {})
    started.start()
    try:
        until_so(lambda: _listens(path), "the agent listens")
        ask = Path(folder, "ask")
        ask.write_text(f"#!/bin/sh\necho '{_SECRET}'\n")
        ask.chmod(0o700)
        asking = {"SSH_ASKPASS": os.fspath(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        env = os.environ | asking | {"SSH_AUTH_SOCK": os.fspath(path)}
        subprocess.run(
            ["ssh-add", "-q", key], env=env, stdin=subprocess.DEVNULL, timeout=60, check=True
        )
        yield os.fspath(path)
    finally:
        started.kill()
        shutil.rmtree(folder)


def _listens(path: Path) -> bool:
    # Its socket is there a moment before anybody can connect to it.
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(os.fspath(path)) == 0


@pytest.fixture(scope="module")
def _agent(locked: Path) -> Iterator[str]:
    with or_skip():
        need_programs(**{"ssh-agent": "openssh-client", "ssh-add": "openssh-client"})
    with agent_with(locked) as path:
        yield path


@pytest.fixture
def agent(_agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that has the key."""
    monkeypatch.setenv("SSH_AUTH_SOCK", _agent)


def configure(lab: Lab, text: str) -> None:
    config = lab.home / ".ssh/config"
    config.write_text(f"Host *\n  {text}\n" + config.read_text())


async def gets_in(workdir: Path, **options: Any) -> bool:
    given = {"servers": ["h1"], **options}
    async with run_of(workdir / "run", existing="reuse", **given) as runner:
        job = await runner.wait(await runner.feed(["true"]))
    return outcome(job) == ("FINISHED", 0, None)


async def test_a_key_of_the_agent(
    hosts: Lab, locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with agent_with(locked) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        assert await gets_in(tmp_path)
    said = await why(tmp_path / "run", "h1")
    assert re.search(r"^h1 .*lets nobody in.*must be in your agent \(`ssh-add`\)", said)


async def test_a_locked_key_that_is_in_the_agent(
    hosts: Lab, agent: None, locked: Path, tmp_path: Path
) -> None:
    assert await gets_in(tmp_path, servers={"h1": {"keyfile": locked}})


@pytest.mark.parametrize(
    "option",
    [
        "IdentityFile <key>",
        "IdentityFile <key>.pub",
        "IdentityFile <key>\n  IdentitiesOnly yes",
        "IdentityFile <key>.pub\n  IdentitiesOnly yes",
        "IdentityAgent <agent>",
        "IdentityAgent SSH_AUTH_SOCK",
        "IdentityAgent $SSH_AUTH_SOCK",
    ],
)
async def test_a_configured_key_that_is_in_the_agent(
    hosts: Lab,
    agent: None,
    locked: Path,
    tmp_path: Path,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = os.environ["SSH_AUTH_SOCK"]
    if "<agent>" in option:
        monkeypatch.delenv("SSH_AUTH_SOCK")
    configure(hosts, option.replace("<key>", os.fspath(locked)).replace("<agent>", path))
    assert await gets_in(tmp_path)


@pytest.mark.parametrize(
    "option", ["IdentityAgent none", "IdentitiesOnly yes\n  IdentityFile ~/.ssh/id_ed25519"]
)
async def test_an_agent_that_shall_not_be_asked(
    hosts: Lab, agent: None, tmp_path: Path, option: str
) -> None:
    configure(hosts, option)
    assert "lets nobody in" in await why(tmp_path / "run", "h1")


@pytest.mark.parametrize("option", ["IdentityFile <key>", ""])
async def test_a_locked_key_and_no_agent(
    hosts: Lab, locked: Path, tmp_path: Path, option: str
) -> None:
    servers: dict[str, Any] = {"h1": {} if option else {"keyfile": locked}}
    configure(hosts, option.replace("<key>", os.fspath(locked)) or "User alice")
    said = await why(tmp_path / "run", servers=servers)
    assert re.search(rf"^h1 .*{locked} has a passphrase: .*`ssh-add {locked}`; none runs", said)


async def test_a_locked_key_of_the_usual_name(
    hosts: Lab, locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(hosts.home, home)
    shutil.copy(locked, home / ".ssh/id_ed25519")
    monkeypatch.setenv("HOME", os.fspath(home))
    said = await why(tmp_path / "run", "h1")
    assert re.search(r"^h1 .*\.ssh/id_ed25519 has a passphrase: .*`ssh-add .*id_ed25519`", said)
    # ssh finds a lock that is not needed no obstacle, either.
    for host in hosts.hosts:
        with (host.home / ".ssh/authorized_keys").open("ab") as keys:
            keys.write(hosts.public_key.read_bytes())
    shutil.copy(hosts.key, home / ".ssh/id_rsa")
    assert await gets_in(tmp_path)


async def test_certificates_of_users_and_hosts(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(
        TrustedUserCAKeys="/home/alice/authority.pub",
        HostCertificate="/home/alice/ssh_host_ed25519_key-cert.pub",
    )
    authority, mine = tmp_path / "authority", tmp_path / "mine"
    for key in (authority, mine):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.fspath(key)])
    sign = ["ssh-keygen", "-q", "-s", os.fspath(authority), "-I", "it"]
    run([*sign, "-n", "alice", os.fspath(tmp_path / "mine.pub")])
    (tmp_path / "ssh_host_ed25519_key.pub").write_text(host.key() + "\n")
    run([*sign, "-h", "-n", host.address, os.fspath(tmp_path / "ssh_host_ed25519_key.pub")])
    for name in ("authority.pub", "ssh_host_ed25519_key-cert.pub"):
        shutil.copy(tmp_path / name, host.home)
    (host.home / ".ssh/authorized_keys").write_text("")
    host.kill_sshd()
    host.start_sshd()
    public = (tmp_path / "authority.pub").read_text()
    (lab.home / ".ssh/known_hosts").write_text(f"@cert-authority {host.address} {public}")
    assert "lets nobody in" in await why(tmp_path / "run", "h1")
    configure(lab, f"IdentityFile {mine}\n  CertificateFile {mine}-cert.pub")
    assert await gets_in(tmp_path)
    (lab.home / ".ssh/known_hosts").write_text(f"@cert-authority other {public}")
    assert "host key is unknown" in await why(tmp_path / "run", "h1")
