"""How long 1,000 times gzip takes by the programs of docs/compared.md, in turn.

    python3 tools/dev.py run compare
    HYPERQUEUE_PYTHON=venv/bin/python python3 tools/dev.py run compare

HyperQueue's Python API takes part where HYPERQUEUE_PYTHON is a Python that has it installed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.measuring import Failed, interleave, timed

_SCHED = str(Path(sys.executable).with_name("sched"))
_HYPERQUEUE = """
import glob
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
with LocalCluster(worker_config=WorkerConfig(cores={slots})) as cluster:
    client, job = cluster.client(), Job()
    for name in glob.glob("*.txt"):
        job.program(["gzip", "-k", name])
    client.wait_for_jobs([client.submit(job)])
"""


def measures(files: int, slots: int) -> Mapping[str, Callable[[Path], float]]:
    """Return what each program is started with, in a folder with files to be compressed."""
    lines = {
        "xargs": f"printf '%s\\n' *.txt | xargs -P{slots} -I{{}} gzip -k {{}}",
        "sched": f"{shlex.quote(_SCHED)} run -w run -j{slots} -- gzip -k ::: *.txt",
    }
    if shutil.which("parallel"):
        parallel = f"parallel --will-cite -j{slots}"
        lines["GNU parallel"] = f"{parallel} gzip -k ::: *.txt"
        lines["GNU parallel with records"] = (
            f"{parallel} --joblog log --results out gzip -k ::: *.txt"
        )
    if python := os.environ.get("HYPERQUEUE_PYTHON"):
        script = shlex.quote(_HYPERQUEUE.format(slots=slots))
        lines["HyperQueue from Python"] = f"{shlex.quote(python)} -c {script}"
    return {name: partial(_take, line, files) for name, line in lines.items()}


def _take(line: str, files: int, folder: Path) -> float:
    for number in range(files):
        (folder / f"{number}.txt").write_text(f"line {number}\n" * 20)
    seconds = timed(["sh", "-c", line], folder)
    made = len(list(folder.glob("*.gz")))
    if made != files:
        raise Failed(f"{made} of {files} files are compressed")
    return seconds


def show(files: int, rounds: int) -> None:
    print(f"load before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as scratch:
        found = interleave(rounds, measures(files, 2), Path(scratch))
    for name, seconds in found.items():
        ratio = median(seconds) / median(found["xargs"])
        listed = " ".join(f"{second:.2f}" for second in seconds)
        print(f"{name}: {median(seconds) / files * 1e3:.2f} ms a file, {ratio:.2f} ({listed} s)")
    print(f"load after: {os.getloadavg()[0]:.1f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Times for docs/compared.md, beside xargs.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    show(options.files, options.rounds)


if __name__ == "__main__":
    main()
