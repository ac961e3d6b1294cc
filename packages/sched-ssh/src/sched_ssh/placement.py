"""Which host gets the next job."""

from __future__ import annotations

from collections.abc import Iterable

from sched_core import Resources
from sched_core.scheduler.admission import Grant

from .host import Host

__all__ = ["best_host"]


def best_host(hosts: Iterable[Host], wanted: Resources) -> tuple[Host, Grant] | None:
    """Take what the job needs from the least loaded host that has it; None while none has."""
    usable = [h for h in hosts if h.up and not h.aside and h.free]
    for host in sorted(usable, key=lambda h: (1 - len(h.free) / h.slots, -len(h.free))):
        if host.admission is not None and (grant := host.admission.admit(wanted)) is not None:
            return host, grant
    return None
