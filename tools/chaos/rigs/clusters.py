"""Slurm and Grid Engine: their daemons die or stand still, their tools fail, nodes are lost, jobs start again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from ..faults import Fault, Tools
from ..plan import Size
from ..processes import Process, end_all, name_of, with_variable
from ..rig import Rig, a_running_job
from .engines import daemon_faults, engine_class, started

__all__ = ["sge", "slurm"]

_QUICK = 20
"""Seconds that a tool may take here: nothing is struck while one is waited for."""


# --- Slurm -------------------------------------------------------------------------------------------


@contextmanager
def slurm(root: Path) -> Iterator[Rig]:
    """Start a Slurm with accounting and two nodes."""
    cluster_class = engine_class("slurm.cluster:SlurmCluster")

    def make() -> Any:
        return cluster_class(root / "slurm", accounting=True, settings={"MessageTimeout": 4})

    (root / "slurm").mkdir()
    with started(make) as cluster:
        names = "sbatch squeue scancel scontrol sacct".split()
        paths = {name: str(shutil.which(name)) for name in names}
        words = "slurm_load_jobs error: Socket timed out on send/recv operation"
        tools = Tools(root / "tools", paths, words)
        path = f"{tools.folder}{os.pathsep}{os.environ['PATH']}"
        yield Rig(
            "slurm",
            Size(150, 24, 40.0),
            {**cluster.env, "PATH": path},
            options={"requeue": True},
            faults=lambda run: _slurm_faults(cluster, tools, run),
            left=lambda run: _named(cluster.run("squeue", "--noheader", "--format=%j"), run),
            hurry=lambda: _hurry_slurm(cluster),
            tell=lambda: _told_by(cluster, _SLURM_TELLS),
        )


def _slurm_faults(cluster: Any, tools: Tools, run: Path) -> Mapping[str, Fault]:
    _, slurmdbd = cluster.database
    found = {**tools.faults(), **daemon_faults("slurmctld", cluster.controller)}
    found |= daemon_faults("slurmdbd", slurmdbd)
    for number, node in enumerate(cluster.nodes.values(), start=1):
        found |= daemon_faults(f"slurmd {number}", node)
        found[f"node {number} lost"] = Fault(
            lambda chance, node=node: _lose_node(cluster, node),  # type: ignore[misc]  # mypy cannot infer it
            (3.0, 14.0), loses=True,
        )  # fmt: skip

    def requeue(chance: Random) -> None:
        job = a_running_job(run, chance)
        cluster.run("scontrol", "requeue", str(job.jid), timeout=_QUICK)

    # What a node knows by its memory alone is lost with it: killed daemons may have jobs start again.
    found |= {name: replace(fault, loses=True) for name, fault in found.items() if "slurm" in name}
    return found | {"job requeued": Fault(requeue, loses=True)}


def _lose_node(cluster: Any, node: Any) -> Callable[[], None]:
    """Have a node go down with all that runs there, and come back."""
    node.kill()
    mark = f"SLURMD_NODENAME={node.name}"
    for _ in range(3):  # what is just being started, too
        found = with_variable(mark)
        for watcher in _watchers(found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(watcher, signal.SIGKILL)
        end_all(found)
    return lambda: _come_back(node)


def _come_back(node: Any) -> None:
    node.start()


def _watchers(found: Sequence[Process]) -> set[int]:
    """Return those of Slurm's own processes that have started these; they bear no name of a node."""
    parents = {parent for process in found if (parent := process.parent())}
    return {pid for pid in parents if name_of(pid).startswith("slurmstepd")}


def _hurry_slurm(cluster: Any) -> None:
    """Do what whoever runs the cluster does, and have what Slurm took back start at once.

    By itself it lets such jobs wait for two minutes, and those that a node could not launch until somebody
    releases them.
    """
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        told = cluster.run("squeue", "--noheader", "--states=PENDING", "--format=%A %r", timeout=5)
        for line in told.splitlines():
            job, _, reason = line.partition(" ")
            if reason == "BeginTime":
                # Within a second of its end a node takes the credential of the new start for the old one.
                cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now+2", timeout=5)
            elif "held" in reason.lower():
                cluster.run("scontrol", "release", job, timeout=5)


# --- Grid Engine -------------------------------------------------------------------------------------


@contextmanager
def sge(root: Path) -> Iterator[Rig]:
    """Start a Grid Engine of one host."""
    cluster_class = engine_class("sge.cluster:SgeCluster")
    (root / "sge").mkdir()
    with started(lambda: cluster_class(root / "sge")) as cluster:
        programs = engine_class("sge.cluster:PROGRAMS")
        names = "qsub qstat qdel qalter qacct".split()
        paths = {name: str(shutil.which(name, path=programs)) for name in names}
        words = "error: commlib error: got select error (Connection refused)"
        tools = Tools(root / "tools", paths, words)
        yield Rig(
            "sge",
            Size(150, 24, 40.0),
            cluster.env,
            options={"r": True, **{name: str(tools.folder / name) for name in names}},
            faults=lambda run: _sge_faults(cluster, tools, run),
            left=lambda run: _named(cluster.run("qstat", "-xml"), run),
            hurry=lambda: _clear_errors(cluster),
            tell=lambda: _told_by(cluster, _SGE_TELLS),
        )


def _clear_errors(cluster: Any) -> None:
    """Do what whoever runs the cluster does: a queue whose jobs lost their watchers starts none."""
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        cluster.run("qmod", "-cq", "all.q", timeout=5)


def _sge_faults(cluster: Any, tools: Tools, run: Path) -> Mapping[str, Fault]:
    def kill_qmaster(chance: Random) -> Callable[[], None]:
        # Killed while it starts a task, 8.1.9 itself never starts another one of that array.
        cluster.run("qmod", "-d", "all.q", timeout=_QUICK)
        cluster.qmaster.kill()

        def back() -> None:
            cluster.start_qmaster()
            cluster.run("qmod", "-e", "all.q", timeout=_QUICK)

        return back

    def requeue(chance: Random) -> None:
        job = a_running_job(run, chance)
        cluster.run("qmod", "-rj", str(job.jid), timeout=_QUICK)

    def lose_watchers(chance: Random) -> None:
        cluster.lose_watchers()

    found = daemon_faults("sge_qmaster", cluster.qmaster) | daemon_faults(
        "sge_execd", cluster.execd
    )
    return {
        **tools.faults(),
        **found,
        "sge_qmaster killed": Fault(kill_qmaster, (0.5, 6.0)),
        "watchers lost": Fault(lose_watchers, loses=True),
        "job requeued": Fault(requeue, loses=True),
    }


def _told_by(cluster: Any, commands: Sequence[str]) -> str:
    """Return what the tools say of queue and nodes."""
    told = []
    for command in commands:
        try:
            said = cluster.run(*command.split(), timeout=_QUICK)
        except (subprocess.SubprocessError, OSError) as error:
            said = f"{error}\n"
        told.append(f"$ {command}\n{said}")
    return "\n".join(told)


_SLURM_TELLS = ("squeue --format=%i|%T|%r|%N|%S", "sinfo --Node --long", "sinfo --list-reasons")
_SGE_TELLS = ("qstat -f -u *", "qstat -explain aE -f")


def _named(told: str, run: str) -> list[str]:
    return [line.strip() for line in told.splitlines() if run in line]
