"""What the lifecycle needs from the outside: time, files, processes, chance.

The simulator in `sched_core.testing` puts its own in their place, so that the whole lifecycle
runs in virtual time on files in memory.
"""

from .files import Entry, Files, StoreUnavailable
from .identity import DriverIdentity
from .system import Ports, SystemPorts, system_ports
from .tokens import MemoryTokens, Tokens

__all__ = [
    "DriverIdentity",
    "Entry",
    "Files",
    "MemoryTokens",
    "Ports",
    "StoreUnavailable",
    "SystemPorts",
    "Tokens",
    "system_ports",
]
