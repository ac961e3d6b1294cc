"""What becomes of jobs whose hosts are away."""

from __future__ import annotations

from sched_core import Failure

from .attempts import Attempt, Stage
from .fleet import Fleet
from .host import Host
from .ledger import Ledger

__all__ = ["Absences"]


class Absences:
    """Says which jobs wait for hosts, and gives them up where a host stays away for too long."""

    def __init__(self, ledger: Ledger, fleet: Fleet, host_lost_after: float | None) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._host_lost_after = host_lost_after
        self._session = ledger.scheduler.session
        self._left_over: dict[Host, list[tuple[Attempt, str]]] = {}

    def begin(self, host: Host) -> None:
        """Have what was not begun go elsewhere, and the rest wait for the host."""
        # It was not told to start these.
        self._ledger.put_back([a for a in self._ledger.on_host(host) if a.stage is Stage.PLACED])
        if self._fleet.is_open:
            self.say_waiting(host)
        if self._host_lost_after is not None and not host.given_up:
            host.given_up = True
            self._fleet.spawn(self._give_up_later, host, self._host_lost_after)

    def say_waiting(self, host: Host) -> None:
        """Say, and record, that a host cannot be used, and which jobs wait for it."""
        left = [a for a in self._ledger.on_host(host) if a.stage > Stage.PLACED]
        for attempt in left:
            self._session.evidence.cannot_be_asked(
                attempt.job, f"{host.error}; waiting for the host"
            )
        waiting = f"; {len(left)} jobs on it wait for it" if left else ""
        self._session.warn(f"{host.error}{waiting}")

    async def _give_up_later(self, host: Host, seconds: float) -> None:
        """Have the jobs of a host tried elsewhere, should it stay away."""
        ports = self._session.ports
        until = host.down_since + seconds
        while not host.up and ports.monotonic() < until:
            await ports.sleep(min(1.0, max(until - ports.monotonic(), 0.01)))
        host.given_up = False
        if host.up:
            return
        for attempt in self._ledger.on_host(host):
            if attempt.stage > Stage.PLACED:
                self.kill_later(host, attempt)
                reason = f"{host.name} could not be reached for {seconds:g} s: {host.error}"
                self._ledger.report_failed(attempt, reason, Failure.UNAVAILABLE)

    def kill_later(self, host: Host, attempt: Attempt) -> None:
        """End what is left of an attempt when its host is back."""
        token = self._ledger.token(attempt)
        self._left_over.setdefault(host, []).append((attempt, token))

    async def end_left_overs(self, host: Host) -> None:
        """End what `kill_later` was told of. Raises HostUnavailable."""
        if left := self._left_over.get(host):
            await host.look([a.id for a, _ in left], self._ledger.fence())
            await host.kill([(a.id, token) for a, token in left], self._ledger.scheduler.grace)
            del self._left_over[host]
