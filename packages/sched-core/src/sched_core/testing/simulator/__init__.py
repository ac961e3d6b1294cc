"""A cluster that does not exist, in a time that does not pass: whole runs under faults.

`simulate(Scenario(seed))` plays a run: jobs are fed to a real `Runner`, whose scheduler talks to a
simulated engine, whose tasks do on a disk in memory what the wrapper scripts do. What goes wrong is
drawn from the seed, or chosen. The `Outcome` lists what must not be: a lost job, a second start, a
hang. `simulate(scenario, host)` does so with a pipeline of one's own, an async function that is given
a `SimulatedDriver`. `python -m sched_core.testing.simulator SCENARIO` plays one and tells its story.

For a scheduler of your own, put it in place of `SimulatedScheduler`, or use the parts: virtual time
(`run_in_virtual_time`), a disk on which files come late (`SimulatedDisk`), and ports whose driver
dies at a chosen effect (`SimulatedPorts`, `Fuse`).
"""

from .arrays import SimulatedArrayScheduler
from .chance import Chance
from .clock import Backend, run_in_virtual_time, virtual_clock
from .disk import SimulatedDisk
from .driver import Host, SimulatedDriver
from .driverfiles import DriverFiles
from .engine import SimulatedEngine
from .faults import ALL_FAULTS, Fault
from .nodefiles import NodeFiles
from .ports import DriverDied, Fuse, SimulatedPorts
from .scenario import Outcome, Scenario
from .scheduler import SimulatedScheduler
from .simulation import simulate
from .tasks import Row, TaskState
from .work import Behaviour, Work, scripted
from .world import World
from .wrapper import Execution

__all__ = [
    "ALL_FAULTS",
    "Backend",
    "Behaviour",
    "Chance",
    "DriverDied",
    "DriverFiles",
    "Execution",
    "Fault",
    "Fuse",
    "Host",
    "NodeFiles",
    "Outcome",
    "Row",
    "Scenario",
    "SimulatedArrayScheduler",
    "SimulatedDisk",
    "SimulatedDriver",
    "SimulatedEngine",
    "SimulatedPorts",
    "SimulatedScheduler",
    "TaskState",
    "Work",
    "World",
    "run_in_virtual_time",
    "scripted",
    "simulate",
    "virtual_clock",
]
