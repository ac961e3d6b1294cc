"""The options of the scheduler of many hosts."""

from __future__ import annotations

from typing import Any, ClassVar

from sched_core import Scheduler
from sched_core.model.units import parse_time
from sched_core.scheduler.options import check_count
from sched_core.scheduler.values import check_texts

from .link import ConnectOptions
from .servers import parse_servers

__all__ = ["SshConfiguration"]


class SshConfiguration(Scheduler):
    """The options of `SshScheduler`, which documents them, and how hosts are connected to."""

    MAY_BE_SECRET: ClassVar[frozenset[str]] = frozenset({"servers"})
    OPTIONS: ClassVar[frozenset[str]] = Scheduler.OPTIONS | frozenset(
        """servers ssh_config connect_timeout keepalive host_failures host_lost_after
        insecure_skip_host_key_check""".split()
    )

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        self.servers = parse_servers(options.get("servers", ()))
        self.ssh_config = _files(options.get("ssh_config"))
        self.connect_timeout = parse_time(options.get("connect_timeout", 20.0), "connect_timeout")
        self.keepalive = parse_time(options.get("keepalive", 15.0), "keepalive")
        self.host_failures = check_count("host_failures", options.get("host_failures", 3), 1)
        lost_after = options.get("host_lost_after")
        self.host_lost_after = (
            None if lost_after is None else parse_time(lost_after, "host_lost_after")
        )
        self.insecure_skip_host_key_check = bool(options.get("insecure_skip_host_key_check", False))

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them; of hosts' variables only the names."""
        return super().options() | {
            "servers": {name: server.to_json() for name, server in self.servers.items()},
            "ssh_config": self.ssh_config,
            "connect_timeout": self.connect_timeout,
            "keepalive": self.keepalive,
            "host_failures": self.host_failures,
            "host_lost_after": self.host_lost_after,
            "insecure_skip_host_key_check": self.insecure_skip_host_key_check,
        }

    def connect_options(self) -> ConnectOptions:
        """Return how hosts are connected to."""
        if self.insecure_skip_host_key_check:
            self.session.warn(
                "host keys are not checked (insecure_skip_host_key_check): whoever answers gets the jobs"
            )
        return ConnectOptions(
            None if self.ssh_config is None else tuple(self.ssh_config),
            self.connect_timeout,
            self.keepalive,
            self.insecure_skip_host_key_check,
            self.session.warn,
            self._turn,
        )

    async def _turn(self, endpoint: str) -> None:
        """Wait until this driver may connect there: some hosts ban who knocks too often."""
        if (budget := self.session.budget_of(endpoint)) is not None:
            await budget.take()


def _files(value: object) -> list[str] | None:
    return None if value is None else check_texts("ssh_config", value)
