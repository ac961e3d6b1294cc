# ruff: noqa: T201  # tools print
"""A small Slurm for one machine: the tools, answering as the real ones do (recorded from 22.05).

State is a folder: `jobs/<id>.json` for a submission, `tasks/<id>[_<task>].json` for each of its tasks.
Each submission has a process that starts its tasks. As with proctrack/cgroup, a job that is cancelled
gets TERM in its first process only, and KILL in all of them `kill_wait` seconds later.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_MARK = "FAKE_SLURM_TASK"
PEAK = 52428800
"""Bytes that every job has had at most."""
_DONE = ("COMPLETED", "FAILED", "CANCELLED")

Record = dict[str, Any]


def install(folder: Path) -> dict[str, str]:
    """Make the tools in that folder; return the options that name them, and set SLURM_CONF to it."""
    for name in ("jobs", "tasks"):
        (folder / name).mkdir(parents=True)
    (folder / "next").write_text("1")
    (folder / "kill_wait").write_text("2")
    (folder / "accounting").write_text("accounting_storage/slurmdbd jobacct_gather/linux")
    (folder / "slurm.conf").write_text("")
    here = Path(__file__)
    program = folder / "tool.py"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(here.parent)!r})\n"
        f"import {here.stem}\n{here.stem}.main(sys.argv[1], sys.argv[2:])\n"
    )
    # By a shell: the first line of a script cannot name a path with a space.
    python = shlex.join([sys.executable, "-S", str(program)])
    tools = {}
    for tool in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
        path = folder / tool
        path.write_text(f'#!/bin/sh\nexec {python} {tool} "$@"\n')
        path.chmod(0o755)
        tools[tool] = str(path)
    return tools


class Call(NamedTuple):
    """A run of one of the tools."""

    moment: float
    """On the monotonic clock."""
    tool: str
    driver: int
    """The process that ran it."""


def count_calls(folder: Path) -> None:
    """Have the tools write down their calls."""
    (folder / "calls").touch()


def calls_of(folder: Path) -> list[Call]:
    """Return the calls that were written down."""
    lines = (line.split() for line in (folder / "calls").read_text().splitlines())
    return [Call(float(moment), tool, int(driver)) for moment, tool, driver in lines]


class Slurm:
    """The state of the fake, as one of its tools sees it."""

    def __init__(self) -> None:
        self.home = Path(os.environ["SLURM_CONF"]).parent

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        with (self.home / "next").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def note_call(self, tool: str) -> None:
        calls = self.home / "calls"
        if calls.exists():
            with calls.open("a") as file:
                file.write(f"{time.monotonic()} {tool} {os.getppid()}\n")

    def new_id(self) -> int:
        with self.lock():
            number = int((self.home / "next").read_text())
            (self.home / "next").write_text(str(number + 1))
        return number

    def put(self, kind: str, name: str, record: Record) -> None:
        path = self.home / kind / f"{name}.json"
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(record))
        fresh.replace(path)

    def get(self, kind: str, name: str) -> Record:
        found: Record = json.loads((self.home / kind / f"{name}.json").read_text())
        return found

    def all(self, kind: str) -> list[Record]:
        paths = (self.home / kind).glob("*.json")
        return [json.loads(path.read_text()) for path in sorted(paths)]

    # --- the tools -------------------------------------------------------------------------------

    def sbatch(self, argv: list[str]) -> None:
        options = dict(word[2:].partition("=")[::2] for word in argv)
        script = sys.stdin.read()
        if "partition" in options and options["partition"] != "main":
            where = options["partition"]
            fail(f"sbatch: error: invalid partition specified: {where}\n"
                 "sbatch: error: Batch job submission failed: Invalid partition name specified")  # fmt: skip
        array = re.fullmatch(r"0-(\d+)(?:%(\d+))?", options.get("array", ""))
        id_ = str(self.new_id())
        names = [f"{id_}_{n}" for n in range(int(array[1]) + 1)] if array else [id_]
        job = {"id": id_, "name": options["job-name"], "comment": options["comment"], "script": script,
               "limit": int(array[2] or 0) if array else 0, "directory": options.get("chdir", "/"),
               "hold": "hold" in options, "exclude": options.get("exclude", "")}  # fmt: skip
        self.put("jobs", id_, job)
        for name in names:
            self.put("tasks", name, {"name": name, "job": id_, "state": "PENDING", "pid": 0, "status": 0,
                                     "start": 0, "end": 0, "cancelled": False})  # fmt: skip
        print(id_, flush=True)
        if os.fork() == 0:
            os.setsid()
            with open(os.devnull, "r+") as null:
                for descriptor in range(3):
                    os.dup2(null.fileno(), descriptor)
            self.run_tasks(id_, names)
            os._exit(0)

    def squeue(self, argv: list[str]) -> None:
        form = next(word for word in argv if word.startswith("--Format="))
        fields = [field.partition(":")[::2] for field in form.partition("=")[2].split(",")]
        wanted = "--states=all" in argv
        tasks = self.all("tasks")  # before their jobs, which are there before their tasks
        jobs = {job["id"]: job for job in self.all("jobs")}
        for task in tasks:
            if task["state"] in _DONE and not wanted:
                continue
            job = jobs[task["job"]]
            values = {
                "JobArrayID": shown(task, job), "State": task["state"], "RestartCnt": "0",
                "exit_code": str(task["status"]), "StartTime": str(task["start"] or "N/A"),
                "EndTime": str(task["end"] or "N/A"), "NodeList": "n1", "Reason": "None",
                "Name": job["name"], "Comment": job["comment"],
            }  # fmt: skip
            print("".join(values[name] + separator for name, separator in fields))

    def scancel(self, argv: list[str]) -> None:
        for word in argv:
            for name in expanded(word):
                with self.lock(), contextlib.suppress(FileNotFoundError):
                    task = self.get("tasks", name)
                    if task["state"] == "RUNNING":
                        os.kill(task["pid"], signal.SIGTERM)  # it may have ended, but is not reaped
                    if task["state"] not in _DONE:
                        state = "CANCELLED" if task["state"] == "PENDING" else task["state"]
                        self.put("tasks", name, task | {"cancelled": time.time(), "state": state})

    def scontrol(self, argv: list[str]) -> None:
        if argv[0] == "update":
            options = dict(word.partition("=")[::2] for word in argv[1:])
            job = self.get("jobs", options["JobId"])
            limit = int(options.get("ArrayTaskThrottle") or job["limit"])
            exclude = options.get("ExcNodeList", job["exclude"])
            self.put("jobs", job["id"], job | {"limit": limit, "exclude": exclude})
        elif "config" in argv:
            storage, gather = (self.home / "accounting").read_text().split()
            print(f"AccountingStorageType   = {storage}\nBOOT_TIME     = 1795354562\n"
                  f"JobAcctGatherType       = {gather}\n"
                  "KillWait                = 2 sec\nMaxArraySize            = 1001\n"
                  "MinJobAge               = 300 sec\nSLURM_VERSION           = 22.05.8")  # fmt: skip
        else:
            print("PartitionName=main Default=YES MaxTime=UNLIMITED State=UP")

    def sacct(self, argv: list[str]) -> None:
        for task in self.all("tasks"):
            job = self.get("jobs", task["job"])
            code = f"{task['status'] >> 8}:{task['status'] & 127}"
            ended = task["end"] or "Unknown"
            shared = [task["state"], code, task["start"], ended, "n1"]
            print("|".join(map(str, [task["name"], *shared, "", job["name"]])))
            if task["start"]:
                peak = PEAK if task["end"] else ""
                print("|".join(map(str, [f"{task['name']}.extern", *shared, 10 * PEAK, "extern"])))
                print("|".join(map(str, [f"{task['name']}.batch", *shared, peak, "batch"])))

    # --- the controller --------------------------------------------------------------------------

    def run_tasks(self, id_: str, names: list[str]) -> None:
        waiting, running = list(names), dict[str, subprocess.Popen[bytes]]()
        while waiting or running:
            job = self.get("jobs", id_)
            while waiting and not job["hold"] and len(running) < (job["limit"] or len(names)):
                name = waiting.pop(0)
                with self.lock():
                    task = self.get("tasks", name)
                    if task["state"] == "PENDING":
                        running[name] = start(job, name)
                        self.put("tasks", name, task | {"state": "RUNNING", "start": int(time.time()),
                                                        "pid": running[name].pid})  # fmt: skip
            waiting = [name for name in waiting if self.get("tasks", name)["state"] == "PENDING"]
            for name in list(running):
                if self.has_ended(name, running[name]):
                    del running[name]
            time.sleep(0.02)

    def has_ended(self, name: str, process: subprocess.Popen[bytes]) -> bool:
        task = self.get("tasks", name)
        rest = processes_of(self.home, name)
        patience = float((self.home / "kill_wait").read_text())
        if task["cancelled"] and time.time() - task["cancelled"] > patience:
            for pid in rest:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if process.pid in rest or (rest and task["cancelled"]):
            return False
        with self.lock():  # its process's number is nobody else's until its end is noted
            if process.poll() is None:
                return False
            task = self.get("tasks", name)
            status = process.returncode << 8 if process.returncode >= 0 else -process.returncode
            state = "CANCELLED" if task["cancelled"] else "FAILED" if status else "COMPLETED"
            self.put(
                "tasks", name, task | {"state": state, "status": status, "end": int(time.time())}
            )
        return True


def start(job: Record, name: str) -> subprocess.Popen[bytes]:
    id_, _, number = name.partition("_")
    home = Path(os.environ["SLURM_CONF"]).parent
    own = {"SLURM_JOB_ID": id_, _MARK: f"{home}/{name}"}
    if number:
        own |= {"SLURM_ARRAY_JOB_ID": id_, "SLURM_ARRAY_TASK_ID": number}
    path = home / f"script.{name}"
    path.write_bytes(job["script"].encode("utf-8", "surrogateescape"))
    path.chmod(0o700)
    return subprocess.Popen(
        [path], env=os.environ | own, cwd=job["directory"], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def all_have_ended(home: Path) -> bool:
    """Tell whether the controller knows the ends of all tasks: a job's own record is there before."""
    tasks = [json.loads(path.read_text()) for path in (home / "tasks").glob("*.json")]
    return all(task["state"] in _DONE for task in tasks)


def processes_of(home: Path, name: str) -> list[int]:
    """Return the processes of a task of this Slurm, and of no other that runs beside it."""
    wanted, found = f"{_MARK}={home}/{name}\0".encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(int(pid))
    return found


def shown(task: Record, job: Record) -> str:
    if "_" in task["name"] and task["state"] == "PENDING":
        id_, _, number = task["name"].partition("_")
        return f"{id_}_[{number}" + (f"%{job['limit']}]" if job["limit"] else "]")
    return str(task["name"])


def expanded(word: str) -> list[str]:
    id_, _, ranges = word.partition("_")
    if not ranges:
        return [id_]
    names = []
    for span in ranges.strip("[]").split(","):
        first, _, last = span.partition("-")
        names += [f"{id_}_{n}" for n in range(int(first), int(last or first) + 1)]
    return names


def fail(words: str) -> None:
    print(words, file=sys.stderr)
    sys.exit(1)


def main(tool: str, argv: list[str]) -> None:
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # it is a text file
    slurm = Slurm()
    slurm.note_call(tool)
    getattr(slurm, tool)(argv)
