"""What `sched doctor ssh` looks at, on each host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio

from sched_core.model.units import format_size

from .host import Place
from .link import ConnectOptions, open_script
from .servers import Server
from .troubles import HostUnavailable
from .wire import Hello, request

__all__ = ["check_host"]

Finding = tuple[str, bool | None, str]

_PATIENCE = 60.0
_SKEW = 60.0
_LITTLE = 1 << 18
"""KiB of disk space below which there is a warning."""


async def check_host(
    server: Server, how: ConnectOptions, place: Place, now: Callable[[], float]
) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check of one host."""
    name = server.name
    warnings: list[str] = []
    how = replace(how, warn=warnings.append)
    try:
        async with open_script(server, how, "checkup") as (hello, courier):
            fields = (place.workdir, place.probe, place.content, server.workdir or "")
            courier.stdin.write(request(*fields))
            courier.stdin.write_eof()
            with anyio.fail_after(_PATIENCE):
                told = (await courier.stdout.read()).decode("utf-8", "replace")
    except (HostUnavailable, TimeoutError) as error:
        problem = (f"{name}: connection", False, str(error) or "it does not answer")
        return [*_configuration(name, warnings), problem]
    found: list[Finding] = [_connection(name, hello, how)]
    facts = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    major, minor = hello.bash
    new = hello.bash >= (4, 2)
    needed = "" if new else "; jobs need 4.2 or newer: install it there"
    found.append((f"{name}: bash", new, f"{major}.{minor}{needed}"))
    found.append((f"{name}: cores", True, f"{hello.cores}, {format_size(hello.memory)} of memory"))
    found += _configuration(name, warnings)
    return [*found, _clock(name, facts, now()), _disk(name, facts), _folder(name, facts)]


def _connection(name: str, hello: Hello, how: ConnectOptions) -> Finding:
    if how.skip_host_key_check:
        what = "anybody could answer: the host key is not checked (insecure_skip_host_key_check)"
        return f"{name}: connection", None, f"to {hello.host}; {what}"
    return f"{name}: connection", True, f"to {hello.host}: its key is known, yours is let in"


def _configuration(name: str, warnings: Sequence[str]) -> list[Finding]:
    return [(f"{name}: configuration", None, said.removeprefix(f"{name}: ")) for said in warnings]


def _clock(name: str, facts: dict[str, str], now: float) -> Finding:
    there = facts.get("clock", "")
    if not there.isdigit():
        return f"{name}: clock", None, "it cannot be read"
    skew = int(there) - now
    detail = f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) < _SKEW:
        return f"{name}: clock", True, detail
    return f"{name}: clock", None, f"{detail}: set it (NTP), or times in records will mislead"


def _disk(name: str, facts: dict[str, str]) -> Finding:
    free = facts.get("free", "")
    if not free.isdigit():
        return f"{name}: disk", None, "its free space cannot be found out"
    detail = f"{format_size(int(free) << 10)} free"
    if int(free) >= _LITTLE:
        return f"{name}: disk", True, detail
    return (
        f"{name}: disk",
        None,
        f"{detail}; `sched clean` old runs, or give workdir for the server",
    )


def _folder(name: str, facts: dict[str, str]) -> Finding:
    folder = facts.get("folder", "")
    if facts.get("shared") == "1":
        return f"{name}: folder", True, f"shared with this machine: {folder}"
    if lacks := facts.get("lacks"):
        return f"{name}: folder", False, f"not shared, and there is no {lacks}: install it there"
    if facts.get("shared") == "0":
        return f"{name}: folder", True, f"not shared: files are brought to {folder} and back"
    return (
        f"{name}: folder",
        False,
        f"{folder or 'none'} cannot be written; give workdir for the server",
    )
