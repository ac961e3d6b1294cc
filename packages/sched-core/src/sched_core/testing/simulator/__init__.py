"""A cluster that does not exist, in a time that does not pass: whole runs under faults.

`simulate(Scenario(seed))` plays a run: jobs are fed to a real `Runner`, whose scheduler talks to a
simulated engine, whose tasks do on a disk in memory what the wrapper scripts do. What goes wrong is
drawn from the seed. The `Outcome` lists what must not be: a lost job, a second start, a hang.

For a scheduler of your own, put it in place of `SimulatedScheduler`, or use the parts: virtual time
(`run_in_virtual_time`), a disk on which files come late (`SimulatedDisk`), and ports whose driver
dies at a chosen effect (`SimulatedPorts`, `Fuse`).
"""

from .clock import Backend, run_in_virtual_time, virtual_clock
from .disk import DriverFiles, NodeFiles, SimulatedDisk
from .driver import DriverDied, Fuse, SimulatedPorts
from .engine import Row, SimulatedEngine, TaskState
from .faults import ALL_FAULTS, Chance, Fault
from .scheduler import SimulatedArrayScheduler, SimulatedScheduler
from .simulation import Outcome, Scenario, simulate
from .wrapper import Execution

__all__ = [
    "ALL_FAULTS",
    "Backend",
    "Chance",
    "DriverDied",
    "DriverFiles",
    "Execution",
    "Fault",
    "Fuse",
    "NodeFiles",
    "Outcome",
    "Row",
    "Scenario",
    "SimulatedArrayScheduler",
    "SimulatedDisk",
    "SimulatedEngine",
    "SimulatedPorts",
    "SimulatedScheduler",
    "TaskState",
    "run_in_virtual_time",
    "simulate",
    "virtual_clock",
]
