"""Which host gets the next job."""

from __future__ import annotations

from collections.abc import Iterable

from sched_core import Job, OptionError, Resources
from sched_core.scheduler.admission import Grant

from .host import Host
from .staging import check_staged

__all__ = ["best_host", "can_take", "refusal"]


def best_host(hosts: Iterable[Host], job: Job, wanted: Resources) -> tuple[Host, Grant] | None:
    """Take what the job needs from the least loaded host that has it; None while none has."""
    usable = filter(can_take, hosts)
    for host in sorted(usable, key=lambda h: (1 - len(h.free) / h.slots, -len(h.free))):
        if host.admission is None or refusal(host, job, wanted) is not None:
            continue
        if (grant := host.admission.admit(wanted)) is not None:
            return host, grant
    return None


def can_take(host: Host) -> bool:
    """Tell whether the host has a place for some job."""
    return host.up and not host.aside and bool(host.free)


def refusal(host: Host, job: Job, wanted: Resources) -> OptionError | None:
    """Return why the host can never run the job; None where it can, or where nobody knows yet."""
    if host.admission is None:
        return None
    try:
        if not host.shared:
            for path in (*job.inputs, *job.outputs):
                check_staged(path)
        if wanted != _NO_WISHES:
            host.admission.machine.check(wanted)
    except OptionError as error:
        return error
    return None


_NO_WISHES = Resources()
