"""From the queue to the hosts."""

from __future__ import annotations

from collections.abc import Sequence

from sched_core import Resources

from .attempts import Attempt, Stage
from .fleet import Fleet
from .host import Host
from .inputs import Inputs
from .ledger import Ledger
from .placement import best_host, can_take, refusal
from .troubles import HostUnavailable

__all__ = ["Dispatcher"]


class Dispatcher:
    """Hands waiting attempts to hosts whenever there is room."""

    def __init__(self, ledger: Ledger, fleet: Fleet, inputs: Inputs) -> None:
        self._ledger, self._fleet, self._inputs = ledger, fleet, inputs
        self._scheduler = ledger.scheduler

    async def run(self) -> None:
        """Go on until cancelled."""
        session = self._scheduler.session
        while True:
            await self._ledger.woken()
            placed = self._place()
            if not placed:
                continue
            try:
                # Where a job may be is known before it can be there, whoever goes on with the run.
                await session.journal.flush_with(session.check_lease)
            except Exception as error:  # noqa: BLE001  # whatever it is, nothing may start
                for attempt in placed:
                    self._ledger.unplace(attempt)
                session.fail(error)
                continue
            for host in {a.host for a in placed if a.host is not None}:
                self._fleet.spawn(self.start, host, [a for a in placed if a.host is host])

    def _place(self) -> list[Attempt]:
        """Find hosts for what waits, in order, as far as forks and hosts allow.

        Nobody is overtaken on a host that he could be given, and others are not kept from the rest.
        """
        placed: list[Attempt] = []
        held: set[Host] = set()
        room = self._scheduler.forks - self._ledger.running()
        for attempt in tuple(self._ledger.waiting()) if room > 0 else ():
            wanted = self._scheduler.job_resources(attempt.job)
            left = [host for host in self._fleet.hosts() if host not in held]
            if (found := best_host(left, attempt.job, wanted)) is not None:
                self._ledger.place(attempt, *found)
                placed.append(attempt)
                if len(placed) == room:
                    break
            else:
                held |= self._able(attempt, wanted)
                if not any(can_take(host) for host in left if host not in held):
                    break
        return placed

    def _able(self, attempt: Attempt, wanted: Resources) -> set[Host]:
        """Return the hosts that could be given the attempt, if they were free; say if there is none."""
        hosts = [host for host in self._fleet.hosts() if host.up and not host.aside]
        refusals = {host: refusal(host, attempt.job, wanted) for host in hosts}
        able = {host for host, error in refusals.items() if error is None}
        if hosts and not able:
            away = [host.name for host in self._fleet.hosts() if host not in refusals]
            wait = f"such jobs wait for {', '.join(away) or 'another host'}"
            self._scheduler.session.warn(f"{refusals[hosts[0]]}; {wait}")
        return able

    async def start(self, host: Host, attempts: Sequence[Attempt]) -> None:
        """Bring to a host what it needs, and have it start attempts that were placed there."""
        try:
            if host.shared:
                texts = {attempt.id: "" for attempt in attempts}
            else:
                texts = await self._inputs.bring(host, attempts)
        except HostUnavailable as error:
            self._scheduler.session.warn(str(error))
            # Some may have gone elsewhere meanwhile, or were refused, or told before to start.
            there = [a for a in attempts if self._is_on(host, a)]
            self._ledger.put_back([a for a in there if a.stage is Stage.PLACED])
            return
        for attempt in attempts:
            if attempt.id in texts and self._is_on(host, attempt) and attempt.stage <= Stage.SENT:
                attempt.stage = Stage.SENT
                self._bring_secrets(host, attempt)
                text, extra = texts[attempt.id], _exports(attempt, host)
                host.start(
                    attempt.slot, text, extra, attempt.id, f"job.wrapped.{self._scheduler.name}"
                )

    def _bring_secrets(self, host: Host, attempt: Attempt) -> None:
        if not host.shared:
            values = self._scheduler.session.secrets.values_of(attempt.job)
            for name, value in values.items():
                host.keep_secret(name, value)

    def _is_on(self, host: Host, attempt: Attempt) -> bool:
        return attempt.host is host and self._ledger.placed(attempt.id) is attempt


def _exports(attempt: Attempt, host: Host) -> str:
    own = attempt.job.envs or {}
    lines = [f"{key}={value}" for key, value in host.server.env.items() if key not in own]
    if attempt.grant is not None and (cards := attempt.grant.exports()):
        lines.append(cards)
    return "\n".join(lines)
