"""Which nodes are left out, of new submissions and of arrays that wait. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sched_core import Failure
from sched_core.scheduler.hosts import HostFailures

__all__ = ["BadHosts", "Options"]

Options = tuple[str, ...]
"""The options of a submission: only equal ones can go to the same nodes."""

_MOST_OPTIONS = 1000
"""Options of which starts that went well are remembered: where each job has its own, there are many."""
_NO_START = frozenset({Failure.SETUP, Failure.UNAVAILABLE, Failure.LOST, Failure.NODE_FAIL})


class BadHosts:
    """Knows for jobs of equal options on which nodes nothing starts, while others do well."""

    def __init__(self, most: int) -> None:
        """Leave a node out when `most` jobs in a row could not be started there."""
        self.most = most
        self._failures: dict[Options, HostFailures] = {}
        self._told: dict[str, Sequence[str]] = {}

    def __bool__(self) -> bool:
        return any(failures.aside for failures in self._failures.values())

    def ended(self, options: Options, host: str, failure: Failure | None) -> list[str]:
        """Note where and how an attempt has ended; return the nodes that are left out from now on."""
        failed = failure in _NO_START
        if options not in self._failures:
            if len(self._failures) >= _MOST_OPTIONS and not failed:
                return []
            self._failures[options] = HostFailures(self.most)
        failures = self._failures[options]
        good = failures.good() | (set() if failed else {host})
        return failures.count(host, failed=failed, others=good)

    def left_out(self, options: Options) -> list[str]:
        """Return the nodes that jobs of these options are kept from."""
        failures = self._failures.get(options)
        return sorted(failures.aside) if failures else []

    def told(self, array: str, bad: Sequence[str]) -> None:
        """Note that an array keeps away from these nodes, or goes only where the user has said."""
        self._told[array] = bad

    def untold(
        self, present: Mapping[str, Options]
    ) -> Iterator[tuple[str, Options, Sequence[str]]]:
        """Yield the arrays, of those that are still there, which do not know of all bad nodes yet, and
        these nodes. Who has submitted an array, and with what in mind, does not matter.
        """
        self._told = {array: bad for array, bad in self._told.items() if array in present}
        for array, options in present.items():
            bad = self.left_out(options)
            if bad != self._told.get(array, []):
                yield array, options, bad
