"""One driver of a chaos run: feeds the list, resuming whatever is there, and says how it went.

python chaos_driver.py BACKEND WORKDIR OUTPUTS JOBS
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import anyio
import anyio.to_thread

from sched_core import Runner
from sched_local import LocalScheduler

FORKS = 4
RETRIES = 1

# Each appends its index to its own file first: a second start would leave a second line.
KINDS = {
    "plain": ":",
    "short": "sleep 0.02",
    "long": "sleep 0.25",
    "flaky": "((SCHED_ATTEMPT > 1)) || exit 3",
    "broken": "sleep 0.01; exit 4",
    "parent": "(sleep 0.1 & wait) & setsid sleep 0.3 & sleep 0.05",
    "output": 'printf "%s\\n" out; printf "%s\\n" err >&2',
}
NAMES = list(KINDS)


def kind(index: int) -> str:
    return NAMES[index * 5 % 7] if index % 10 else "long"


def command(index: int, outputs: Path) -> list[str]:
    script = f'printf "%s\\n" "$SCHED_JOB_INDEX" >>"$1"; {KINDS[kind(index)]}'
    return ["bash", "-c", script, "job", f"{outputs}/{index}"]


def descriptors() -> dict[str, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue  # the listing's own
    return found


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a thread, or a child, that has just ended
        return ""


def children() -> list[str]:
    """Return /proc/PID/stat of this process's children, zombies too."""
    tasks = Path("/proc/self/task").iterdir()
    pids = [pid for task in tasks for pid in read(task / "children").split()]
    return [stat for pid in pids if (stat := read(Path(f"/proc/{pid}/stat")))]


async def main(workdir: str, outputs: Path, count: int) -> None:
    await anyio.to_thread.run_sync(os.getpid)
    before = descriptors()
    scheduler = LocalScheduler(workdir, FORKS, "retry", RETRIES)
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        jobs = [await runner.feed(command(index, outputs)) for index in range(count)]
    result = {
        "jobs": [[job.index, job.status.name, job.rc, job.attempt] for job in jobs],
        "leaked": {name: what for name, what in descriptors().items() if name not in before},
        "children": children(),
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    anyio.run(main, sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), backend=sys.argv[1])
