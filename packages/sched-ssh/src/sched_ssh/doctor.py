"""What `sched doctor ssh` looks at, on each host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio

from .host import Place
from .link import ConnectOptions, open_link
from .servers import Server
from .troubles import HostUnavailable
from .wire import Hello, request

__all__ = ["check_host"]

Finding = tuple[str, bool | None, str]

_PATIENCE = 60.0
_SKEW = 60.0


async def check_host(
    server: Server, how: ConnectOptions, place: Place, now: Callable[[], float]
) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check of one host."""
    name = server.name
    warnings: list[str] = []
    how = replace(how, warn=warnings.append)
    try:
        async with open_link(server, how) as link:
            hello = await link.message()
            assert isinstance(hello, Hello)
            found: list[Finding] = [
                (f"{name}: connection", True, f"to {hello.host}, keys are right")
            ]
            with anyio.fail_after(_PATIENCE):
                async with link.courier("checkup") as courier:
                    workdir = server.workdir or ""
                    fields = (place.workdir, place.probe, place.content, workdir)
                    courier.stdin.write(request(*fields))
                    courier.stdin.write_eof()
                    told = (await courier.stdout.read()).decode("utf-8", "replace")
    except (HostUnavailable, TimeoutError) as error:
        problem = (f"{name}: connection", False, str(error) or "it does not answer")
        return [*_configuration(name, warnings), problem]
    facts = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    major, minor = hello.bash
    found.append((f"{name}: bash", hello.bash >= (4, 2), f"{major}.{minor}"))
    found.append((f"{name}: cores", True, f"{hello.cores}, {hello.memory >> 20} MiB of memory"))
    found += _configuration(name, warnings)
    return [*found, _clock(name, facts, now()), _disk(name, facts), _folder(name, facts)]


def _configuration(name: str, warnings: Sequence[str]) -> list[Finding]:
    return [(f"{name}: configuration", None, said.removeprefix(f"{name}: ")) for said in warnings]


def _clock(name: str, facts: dict[str, str], now: float) -> Finding:
    there = facts.get("clock", "")
    if not there.isdigit():
        return f"{name}: clock", None, "it cannot be read"
    skew = int(there) - now
    verdict = True if abs(skew) < _SKEW else None
    return f"{name}: clock", verdict, f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"


def _disk(name: str, facts: dict[str, str]) -> Finding:
    free = facts.get("free", "")
    if not free.isdigit():
        return f"{name}: disk", None, "its free space cannot be found out"
    return f"{name}: disk", None if int(free) < 1 << 18 else True, f"{int(free) >> 10} MiB free"


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
