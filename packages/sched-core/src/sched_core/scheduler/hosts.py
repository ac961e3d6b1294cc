"""Hosts on which nothing but failures come about. Pure."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["HostFailures"]


class HostFailures:
    """Counts the jobs that could not be started on each host, and sets hosts aside.

    One where everything fails at once is free again at once, and would take one job after the other.
    """

    def __init__(self, most: int) -> None:
        """Set a host aside when `most` jobs in a row could not be started there."""
        self.most = most
        self.aside: set[str] = set()
        """The hosts that get no more jobs."""
        self._in_a_row: dict[str, int] = {}

    def count(self, host: str, *, failed: bool, others: Collection[str]) -> list[str]:
        """Note how a start on that host ended; return the hosts that are set aside now.

        None is where not one of the `others`, which can be used, would be left.
        """
        self._in_a_row[host] = self._in_a_row.get(host, 0) + 1 if failed else 0
        bad = [name for name, failures in self._in_a_row.items() if failures >= self.most]
        found = [name for name in bad if self._may_be_spared(name, others)]
        self.aside.update(found)
        return found

    def _may_be_spared(self, host: str, others: Collection[str]) -> bool:
        return host not in self.aside and bool(set(others) - self.aside - {host})

    def good(self) -> set[str]:
        """Return the hosts on which the last start went well."""
        return {host for host, failures in self._in_a_row.items() if not failures}
