"""A network of its own for the thread that asks for one; it is gone with the last process in it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..daemons import EngineMissing

__all__ = ["Network", "run"]

_CLONE_NEWNET = 0x40000000
_OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        raise EngineMissing(f"{what}: {os.strerror(ctypes.get_errno())}; root is needed")


def run(argv: Sequence[str], **options: object) -> str:
    """Run a program and return its output. Raises with what it said where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]  # of any kind
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return str(done.stdout)


class Network:
    """A network namespace with a bridge, to which hosts are plugged."""

    def __init__(self, net: str) -> None:
        """Make the network; `net` are the first three numbers of its addresses."""
        self.net = net
        home = os.open(_OWN, os.O_RDONLY)
        _check(_libc.unshare(_CLONE_NEWNET), "no network namespace can be made")
        self._own = os.open(_OWN, os.O_RDONLY)
        try:
            run(["ip", "link", "set", "lo", "up"])
            run(["ip", "link", "add", "br0", "type", "bridge"])
            run(["ip", "addr", "add", f"{net}.1/24", "dev", "br0"])
            run(["ip", "link", "set", "br0", "up"])
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET), "the network cannot be left")
            os.close(home)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread, and the processes and threads that it starts, be in the network."""
        home = os.open(_OWN, os.O_RDONLY)
        _check(_libc.setns(self._own, _CLONE_NEWNET), "the network cannot be entered")
        try:
            yield
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET), "the network cannot be left")
            os.close(home)

    def ip(self, *args: str) -> None:
        """Run `ip` in the network."""
        with self.inside():
            run(["ip", *args])

    def plug(self, number: int, pid: int) -> None:
        """Connect the network of a host's first process."""
        port = f"p{number}"
        self.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self.ip("link", "set", port, "master", "br0", "up")
        there = ["nsenter", "-t", str(pid), "-n", "ip"]
        run([*there, "link", "set", "lo", "up"])
        run([*there, "addr", "add", f"{self.address(number)}/24", "dev", "eth0"])
        # The same whenever it boots: others may remember it.
        run([*there, "link", "set", "eth0", "address", f"02:00:00:00:01:{number:02x}"])
        run([*there, "link", "set", "eth0", "up"])
        run([*there, "route", "add", "default", "via", f"{self.net}.1"])

    def unplug(self, number: int) -> None:
        """Take away the cable of a host that is gone; the kernel may have done so already."""
        with contextlib.suppress(RuntimeError):
            self.ip("link", "del", f"p{number}")

    def address(self, number: int) -> str:
        """Return the address of a host."""
        return f"{self.net}.{10 + number}"

    def close(self) -> None:
        """Let go of the network."""
        os.close(self._own)
