"""Where ssh itself understands the user's configuration in another way than this package's library.

The library reads `~/.ssh/config` by itself: not all that may stand there, and not what the machine's
administrator has written into /etc/ssh/ssh_config. Nobody shall have to guess why a host is reached by
hand, but not here, or another one is.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import anyio

from .servers import Server

if TYPE_CHECKING:
    from .link import ConnectOptions

__all__ = ["tell_differences"]

_PATIENCE = 10.0
_UNHEEDED = {
    "bindinterface": "BindInterface is not heeded",
    "knownhostscommand": "KnownHostsCommand is not run: keys are looked up in files",
    "revokedhostkeys": "RevokedHostKeys is not heeded: mark keys as @revoked in known_hosts",
}


async def tell_differences(server: Server, options: Any, how: ConnectOptions) -> None:
    """Ask ssh, if it is installed, how it would connect, and warn of what differs, once a host."""
    if server in how.compared:
        return
    how.compared.append(server)
    where = _where(how)
    if where is None or not shutil.which("ssh"):
        return
    argv = ["ssh", *where, "-G", *_destination(server)]
    status, said, problem = await _run(argv)
    if status is None:
        return
    if status:
        how.warn(f"{server.name}: ssh itself does not take its configuration: {problem}")
        return
    told = dict(line.lower().split(" ", 1) for line in said.splitlines() if " " in line)
    for difference in _differences(server, told, options):
        how.warn(f"{server.name}: {difference}")


def _where(how: ConnectOptions) -> list[str] | None:
    """Return ssh's options for the same configuration; None where it reads none, or cannot."""
    if how.ssh_config is not None:
        return ["-F", *how.ssh_config] if len(how.ssh_config) == 1 else None
    path = os.path.expanduser("~/.ssh/config")
    # ssh does not look at HOME.
    if os.path.realpath(os.path.expanduser("~")) == os.path.realpath(_home()):
        return []
    return ["-F", path] if os.path.exists(path) else None


def _home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def _destination(server: Server) -> list[str]:
    port = ["-p", str(server.port)] if server.port is not None else []
    user = ["-l", server.user] if server.user is not None else []
    return [*port, *user, "--", server.host]


async def _run(argv: list[str]) -> tuple[int | None, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    out = err = b""
    with anyio.move_on_after(_PATIENCE) as scope:
        out, err = await process.communicate()
    if scope.cancelled_caught:
        process.kill()
        await process.wait()
        return None, "", ""
    problem = err.decode("utf-8", "replace").strip().splitlines()
    return process.returncode, out.decode("utf-8", "replace"), "; ".join(problem)


def _differences(server: Server, told: Mapping[str, str], options: Any) -> Iterator[str]:
    config = options.config
    ours = {
        "hostname": options.host,
        "port": options.port,
        "user": options.username,
        "proxyjump": _plain(config.get("ProxyJump") or "none"),
        "hostkeyalias": config.get("HostKeyAlias") or "none",
    }
    for option, value in ours.items():
        theirs = _plain(told.get(option, "none"))
        if theirs != str(value).lower():
            yield (
                f"ssh itself takes the {option} {theirs}, this run {value}: not all of ssh's configuration "
                "is understood; write it plainly for this host, or in servers"
            )
    if told.get("proxycommand", "none") != "none" and not config.get("ProxyCommand"):
        yield f"the ProxyCommand is not understood: {told['proxycommand']}"
    if told.get("proxyusefdpass") == "yes":
        yield "ProxyUseFdpass is not heeded: let the ProxyCommand hand the connection on by itself"
    if told.get("stricthostkeychecking") in ("no", "false", "off", "accept-new"):
        yield "StrictHostKeyChecking is not heeded: host keys are always verified"
    for option, text in _UNHEEDED.items():
        if told.get(option, "none") != "none":
            yield text


def _plain(value: object) -> str:
    """Return hosts without what can be left out."""
    return str(value).replace("ssh://", "").replace("[", "").replace("]", "")
