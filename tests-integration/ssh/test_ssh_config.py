"""The user's ssh configuration: what it says is done, and what cannot be done is said."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_ssh import SshScheduler

from ..daemons import processes_named
from .helpers import outcome, run_of, shell, text, until
from .hosts import Lab
from .namespaces import run
from .test_errors import why

WHO = shell('echo "$(hostname) $(id -un) $SSH_CONNECTION"')


@pytest.fixture
def hosts(apart: Lab) -> Iterator[Lab]:
    """Hosts, of whom the user's files may say what a test wants."""
    yield apart
    apart.write_home()


def configure(lab: Lab, first: str = "", rest: str | None = None) -> None:
    """Write what comes before the usual names of hosts, or in place of them."""
    one, two = lab.hosts[:2]
    usual = (
        f"Host h1\n HostName {one.address}\nHost h2\n HostName {two.address}\nHost *\n User alice\n"
    )
    body = first + (usual if rest is None else rest)
    names: dict[str, str | Path] = {"one": one.address, "two": two.address, "home": lab.home}
    for name, value in names.items():
        body = body.replace(f"<{name}>", os.fspath(value))
    (lab.home / ".ssh/config").write_text(body)


async def who(workdir: Path, *servers: str, **options: Any) -> list[str]:
    """Return the host's name, the user's, and who connected to where, by a job."""
    async with run_of(workdir, *servers, existing="reuse", **options) as runner:
        job = await runner.wait(await runner.feed(WHO))
    assert outcome(job) == ("FINISHED", 0, None)
    return text(job.stdout_file).split()


WELL_UNDERSTOOD = {
    "names": "",
    "Match originalhost": "Match originalhost h1\n HostName <one>\n User alice\n",
    "Match host, after HostName": "Host h1\n HostName <one>\nMatch host <one>\n User alice\n",
    "Match host, of several": "Match host h3,h1\n HostName <one>\n User alice\n",
    "Match user": "Host h1\n User alice\nMatch user alice\n HostName <one>\n",
    "Match exec": 'Match exec "test -e <home>"\n HostName <one>\n User alice\n',
    "Match exec, not so": 'Match exec "test -e <home>/none"\n HostName <two>\n User bob\n',
    "Match, negated": "Match !originalhost h2 host h1\n HostName <one>\n User alice\n",
    "Host, negated": "Host * !h1\n HostName <two>\nHost h1\n HostName <one>\n User alice\n",
    "Include": "Include <home>/.ssh/more\n",
    "Include in a block": "Host h2\n Include <home>/.ssh/wrong\nHost h1\n Include <home>/.ssh/more\n",
    "the first one counts": "Host h1\n HostName <one>\nHost h1\n HostName <two>\n",
    "equal signs and quotes": 'Host=h1\n HostName="<one>"\n User = alice\n',
    "a key of several": "Host *\n IdentityFile ~/.ssh/none\n IdentityFile ~/.ssh/id_ed25519\n",
    "a terminal": "Host *\n RequestTTY force\n",
    "a command": "Host *\n RemoteCommand exec cat\n",
    "known hosts": "Host *\n UserKnownHostsFile ~/.ssh/none ~/.ssh/known_hosts\n",
    "known to all": "Host *\n UserKnownHostsFile none\n GlobalKnownHostsFile ~/.ssh/known_hosts\n",
    "connections of ssh's own": "Host *\n ControlMaster auto\n ControlPath ~/.ssh/%C\n",
    "compression": "Host *\n Compression yes\n",
}


@pytest.mark.parametrize("config", WELL_UNDERSTOOD.values(), ids=WELL_UNDERSTOOD)
async def test_what_is_understood(
    hosts: Lab, tmp_path: Path, config: str, caplog: pytest.LogCaptureFixture
) -> None:
    (hosts.home / ".ssh/more").write_text(f"HostName {hosts.hosts[0].address}\nUser alice\n")
    (hosts.home / ".ssh/wrong").write_text(f"HostName {hosts.hosts[1].address}\nUser bob\n")
    configure(hosts, config)
    assert (await who(tmp_path / "run", "h1"))[:2] == ["h1", "alice"]
    assert not caplog.records


WAYS = {
    "a jump": "Host h1\n ProxyJump h2\n",
    "a jump, in full": "Host h1\n ProxyJump alice@<two>:22\n",
    "a jump, as an address": "Host h1\n ProxyJump ssh://alice@<two>:22\n",
    "two jumps": "Host h1\n ProxyJump h2,h2\n",
    "a jump's jump": "Host h1\n ProxyJump way\nHost way\n ProxyJump h2\n HostName <two>\n",
    "a program": "Host h1\n ProxyCommand ssh <ssh> -W %h:%p h2\n",
    "a program that talks": (
        "Host h1\n ProxyCommand echo welcome >&2 && (sleep 0.3; echo more >&2) & ssh <ssh> -W %h:%p h2\n"
    ),
}


@pytest.mark.parametrize("config", WAYS.values(), ids=WAYS)
async def test_other_hosts_on_the_way(
    hosts: Lab, tmp_path: Path, config: str, caplog: pytest.LogCaptureFixture
) -> None:
    # ssh knows another home than these tests.
    known = f"UserKnownHostsFile={hosts.home}/.ssh/known_hosts"
    ssh = shlex.join(["-F", f"{hosts.home}/.ssh/config", "-i", os.fspath(hosts.key), "-o", known])
    configure(hosts, config.replace("<ssh>", ssh))
    way = hosts.hosts[1].address
    assert (await who(tmp_path / "run", "h1"))[:3] == ["h1", "alice", way]
    assert not caplog.records
    # Nothing of the way is left.
    await until(lambda: [host.connections() for host in hosts.hosts[:2]] == [0, 0])


async def test_another_port_and_another_file(hosts: Lab, tmp_path: Path) -> None:
    one = hosts.hosts[0]
    one.listen_on(2022)
    other = tmp_path / "other config"
    other.write_text(f"Host box\n HostName {one.address}\n Port 2022\n User alice\n")
    said = await why(tmp_path / "run1", "box")
    assert "box: its name cannot be resolved" in said
    found = await who(tmp_path / "run2", "box", ssh_config=other)
    assert (found[0], found[-1]) == ("h1", "2022")
    # What is given goes before what is written.
    servers = {"box": {"port": 22}}
    assert (await who(tmp_path / "run3", servers=servers, ssh_config=other))[-1] == "22"


WRONG_WAYS = {
    "Host h1\n ProxyJump none.invalid\n": r"^h1, by way of none.invalid: its name cannot be resolved",
    "Host h1\n ProxyJump h2:2222\n": r"^h1, by way of h2 \(.*:2222\) refuses the connection",
    "Host h1\n ProxyJump bob@h2\n": r"^h1, by way of h2 .*lets nobody in.*`ssh bob@h2 true`",
    "Host *\n ProxyJump h2\n": r"^h1, by way of h2: its ProxyJump goes in a circle: h1, h2, h2$",
    "Host h1\n ProxyJump h2\n Port 2222\n": r"^h1 cannot be reached from the host of its ProxyJump",
    "Host h1\n ProxyCommand echo 'no way' >&2; exit 1\n": r"^h1: its ProxyCommand does not reach it: no way$",
    "Host h1\n ProxyCommand false\n": r"^h1: its ProxyCommand .*says nothing$",
    "Host h1\n Compression maybe\n": r"^h1: .*/config line 2: .*Compression.*maybe",
    "Match mood good\n Port 22\n": r"^h1: .*/config line 1: .*mood",
}


@pytest.mark.parametrize("config,error", WRONG_WAYS.items(), ids=range(len(WRONG_WAYS)))
async def test_what_goes_wrong_on_the_way(
    hosts: Lab, tmp_path: Path, config: str, error: str
) -> None:
    configure(hosts, config)
    assert re.search(error, await why(tmp_path / "run", "h1"))


async def test_a_program_that_never_says_anything(hosts: Lab, tmp_path: Path) -> None:
    configure(hosts, f"Host h1\n ProxyCommand sleep {4711 + os.getpid()} | cat\n")
    assert "ProxyCommand does not reach it" in await why(tmp_path / "run", "h1", connect_timeout=1)
    await until(lambda: not processes_named(f"sleep\0{4711 + os.getpid()}\0"))


async def test_whose_key_is_unknown_on_the_way(hosts: Lab, tmp_path: Path) -> None:
    one, two = hosts.hosts[:2]
    known = hosts.home / ".ssh/known_hosts"
    configure(hosts, "Host h1\n ProxyJump h2\n")
    known.write_text(f"{one.address} {one.key()}\n")
    said = await why(tmp_path / "run", "h1")
    assert re.search(r"^h1, by way of h2 .*key is unknown; connect once by hand \(`ssh h2`\)", said)
    known.write_text(f"{one.address} {one.key()}\n{two.address} {one.key()}\n")
    said = await why(tmp_path / "run", "h1")
    assert re.search(r"^h1, by way of h2 .* has CHANGED its host key", said)
    # The check is left out for the host that it was said of alone.
    known.write_text("")
    said = await why(tmp_path / "run", "h1", insecure_skip_host_key_check=True)
    assert re.search(r"^h1, by way of h2 .*key is unknown", said)


async def test_hosts_that_are_known_by_another_name(hosts: Lab, tmp_path: Path) -> None:
    one = hosts.hosts[0]
    known = hosts.home / ".ssh/known_hosts"
    configure(hosts, "Host h1\n HostKeyAlias the-box\n")
    # Its address is that of a host that is known: that proves nothing about the name.
    said = await why(tmp_path / "run", "h1")
    assert re.search(r"^h1 .*host key is unknown", said)
    known.write_text(f"the-box {one.key()}\n")
    assert (await who(tmp_path / "run", "h1"))[0] == "h1"
    run(["ssh-keygen", "-H", "-f", os.fspath(known)])
    assert "the-box" not in known.read_text()
    assert (await who(tmp_path / "run2", "h1"))[0] == "h1"


async def test_how_to_forget_a_key_that_has_changed(hosts: Lab, tmp_path: Path) -> None:
    one, two = hosts.hosts[:2]
    known = hosts.home / ".ssh/known_hosts"
    known.write_text(f"{one.address} {two.key()}\n")
    said = await why(tmp_path / "run", "h1")
    (command,) = re.findall(r"`(ssh-keygen -R .*)`", said)
    run([*shlex.split(command), "-f", os.fspath(known)])
    assert known.read_text() == ""
    assert "host key is unknown" in await why(tmp_path / "run", "h1")


async def test_a_key_that_was_revoked(hosts: Lab, tmp_path: Path) -> None:
    one = hosts.hosts[0]
    known = hosts.home / ".ssh/known_hosts"
    known.write_text(f"{one.address} {one.key()}\n@revoked * {one.key()}\n")
    assert re.search(r"^h1 .*key is not trusted .*revoked", await why(tmp_path / "run", "h1"))


@pytest.mark.parametrize("files", ["none", "/dev/null", "~/.ssh/elsewhere"])
async def test_no_configuration_leaves_a_key_unchecked(
    hosts: Lab, tmp_path: Path, files: str
) -> None:
    configure(hosts, f"Host *\n StrictHostKeyChecking no\n UserKnownHostsFile {files}\n")
    said = await why(tmp_path / "run", "h1")
    assert re.search("^h1 .*key is unknown, since there is no file of known keys", said)


MISUNDERSTOOD = {
    'Match exec "expr %n : h1"\n Port 2222\n': "ssh itself takes the port 2222, this run 22",
    "Host h1\n RevokedHostKeys /dev/null\n": "RevokedHostKeys is not heeded",
    "Host h1\n KnownHostsCommand /bin/true\n": "KnownHostsCommand is not run",
    "Host h1\n BindInterface lo\n": "BindInterface is not heeded",
    "Host h1\n StrictHostKeyChecking accept-new\n": "StrictHostKeyChecking is not heeded",
    "Host h1\n HostNmae h2\n": "ssh itself does not take its configuration: .*(?i:hostnmae)",
}


@pytest.mark.parametrize("config,warning", MISUNDERSTOOD.items(), ids=range(len(MISUNDERSTOOD)))
async def test_what_is_not_understood_is_said(
    hosts: Lab, tmp_path: Path, config: str, warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    configure(hosts, config)
    assert (await who(tmp_path / "run", "h1"))[0] == "h1"
    assert re.search(
        f"^h1: {warning}", "\n".join(r.getMessage() for r in caplog.records), re.MULTILINE
    )
    scheduler = SshScheduler(tmp_path / "run2", servers=["h1"])
    told = [d for name, verdict, d in await scheduler.doctor() if name == "h1: configuration"]
    assert re.search(warning, told[0])
