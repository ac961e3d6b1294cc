"""Which nodes are left out, of new submissions and of arrays that wait. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

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
        self._arrays: dict[str, Options] = {}
        self._untold: set[str] = set()

    def ended(self, options: Options, host: str, failure: Failure | None) -> list[str]:
        """Note where and how an attempt has ended; return the nodes that are left out from now on."""
        failed = failure in _NO_START
        if options not in self._failures:
            if len(self._failures) >= _MOST_OPTIONS and not failed:
                return []
            self._failures[options] = HostFailures(self.most)
        failures = self._failures[options]
        good = failures.good() | (set() if failed else {host})
        found = failures.count(host, failed=failed, others=good)
        if found:
            self._untold |= {array for array, own in self._arrays.items() if own == options}
        return found

    def left_out(self, options: Options) -> list[str]:
        """Return the nodes that jobs of these options are kept from."""
        failures = self._failures.get(options)
        return sorted(failures.aside) if failures else []

    def submitted(self, array: str, options: Options) -> None:
        """Note what an array was submitted with."""
        self._arrays[array] = options

    def untold(self, present: Collection[str]) -> Iterator[tuple[str, Options]]:
        """Take out the arrays, of those that are still `present`, that know nothing of a bad node yet."""
        self._arrays = {array: own for array, own in self._arrays.items() if array in present}
        untold, self._untold = self._untold & self._arrays.keys(), set()
        yield from ((array, self._arrays[array]) for array in sorted(untold))

    def not_told(self, array: str) -> None:
        """Note that an array could not be told: it is tried again."""
        self._untold.add(array)
