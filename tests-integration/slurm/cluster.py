"""A real Slurm on this machine, private to the tests: own ports, own folder, nothing of systemd."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..daemons import (
    Daemon,
    free_ports,
    need_programs,
    processes_named,
    processes_with,
    until,
)

__all__ = ["Saved", "SlurmCluster"]

Saved = Mapping[Path, bytes]

_FAST = ",".join(
    """batch_sched_delay=0 sched_interval=1 sched_min_interval=0 default_queue_depth=10000
    sched_max_job_start=0 bf_interval=1 bf_max_job_test=2000 bf_continue""".split()
)
"""A scheduler that starts what it can at once: the default looks every minute."""


class SlurmCluster:
    """Starts, hurts and ends the daemons; `settings` stand in place of those of slurm.conf.

    With `beside` it is one more cluster in the accounting of another one.
    """

    def __init__(
        self,
        root: Path,
        *,
        nodes: int = 2,
        cpus: int = 64,
        accounting: bool = False,
        beside: SlurmCluster | None = None,
        name: str = "test",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        need_programs(
            sbatch="slurm-client",
            slurmctld="slurmctld",
            slurmd="slurmd",
            munged="munge",
            setpriv="util-linux",
        )
        self.root = root
        self.cpus = cpus
        self.name = name
        self.accounting = accounting or beside is not None
        self._beside = beside
        self._munge = (beside or self).root / "munge"
        self.conf = root / "slurm.conf"
        self.env = {**os.environ, "SLURM_CONF": os.fspath(self.conf)}
        self._settings = dict(settings or {})
        self._ports = free_ports(nodes + 3)
        self._database_port: int = beside._database_port if beside else self._ports[1]
        # Control groups are named after nodes: those of another cluster here must be others.
        self._names = [f"p{self._ports[0]}n{number}" for number in range(1, nodes + 1)]
        self.cgroup = _has_cgroups()
        self._make_folders()
        self._write_configuration()
        self.munged = self._daemon(
            "munged",
            "--foreground",
            f"--key-file={root}/munge/key",
            f"--socket={root}/munge/socket",
            f"--pid-file={root}/munge/pid",
            f"--log-file={root}/munge/log",
            f"--seed-file={root}/munge/seed",
        )
        self.controller = self._daemon("slurmctld", "-D", "-f", os.fspath(self.conf))
        self.nodes = {
            name: self._daemon("slurmd", "-D", "-N", name, "-f", os.fspath(self.conf), log=name)
            for name in self._names
        }
        self.database: list[Daemon] = []

    # --- up and down -----------------------------------------------------------------------------

    def start(self) -> None:
        if not self._beside:
            self.start_munged()
        if self._beside:
            self.run("sacctmgr", "--immediate", "add", "cluster", self.name)
        elif self.accounting:
            self._start_database()
        self.controller.start()
        for node in self.nodes.values():
            node.start()
        self.until_ready()

    def start_munged(self) -> None:
        self.munged.start()
        self._await(lambda: self.works("munge", "-S", f"{self._munge}/socket", "-n"), "munged")

    def until_ready(self) -> None:
        """Wait until the controller answers and all nodes can take jobs."""
        self._await(self._idle, "the nodes")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.SubprocessError):
            self._end_jobs()
        for daemon in [*self.nodes.values(), self.controller, *self.database[::-1], self.munged]:
            daemon.stop()
        for pid in processes_with(f"SLURM_CONF={self.conf}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for folder in Path("/sys/fs/cgroup").glob(f"*/slurm_p{self._ports[0]}n*"):
            for path in [*sorted(folder.rglob("*/"), reverse=True), folder]:
                with contextlib.suppress(OSError):
                    path.rmdir()

    def _end_jobs(self) -> None:
        if not self.controller.alive:
            return
        self.controller.signal(signal.SIGCONT)
        self.run("scancel", "--user=root", timeout=20)
        with contextlib.suppress(TimeoutError):
            until(lambda: not self.run("squeue", "--noheader", timeout=20), "the jobs' ends", 20)

    # --- use -------------------------------------------------------------------------------------

    def run(self, *argv: str, timeout: float = 60, **extra: str) -> str:
        """Run one of Slurm's tools and return what it prints."""
        done = subprocess.run(
            argv, env=self.env | extra, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise subprocess.SubprocessError(f"{argv}: {done.stderr or done.stdout[-2000:]}")
        return done.stdout

    def works(self, *argv: str) -> bool:
        """Run one of Slurm's tools and tell whether it went well."""
        try:
            self.run(*argv)
        except subprocess.SubprocessError:
            return False
        return True

    @contextlib.contextmanager
    def partition(self, name: str, **settings: object) -> Iterator[str]:
        """Have one more partition, of all nodes."""
        words = [f"{key}={value}" for key, value in settings.items()]
        self.run("scontrol", "create", f"PartitionName={name}", "Nodes=ALL", *words)
        try:
            yield name
        finally:
            # A job's own record is there before Slurm knows that the job has ended.
            delete = ("scontrol", "delete", f"PartitionName={name}")
            self._await(lambda: self.works(*delete), f"the end of partition {name}")

    def saved(self) -> Saved:
        """Return what the controller has saved of its state: what it knows after a crash."""
        found = {}
        for path in (self.root / "state").rglob("*"):
            # One that is just being written gets another name, or goes.
            if path.suffix != ".new" and path.is_file():
                with contextlib.suppress(FileNotFoundError):
                    found[path] = path.read_bytes()
        return found

    def processes_of(self, jid: str) -> list[int]:
        """Return the processes of a job, with those that watch it; another cluster of this machine may
        have a job of the same number.
        """
        own = set(processes_with(f"SLURM_CONF={self.conf}"))
        found = [*processes_named(f"slurmstepd: [{jid}."), *processes_with(f"SLURM_JOB_ID={jid}")]
        return [pid for pid in found if pid in own]

    def crash(self, before: Saved | None = None) -> None:
        """Kill the controller at once; with `before`, as if it had not come to saving since then."""
        self.controller.kill()
        if before is not None:
            for path in self.saved().keys() - before.keys():
                path.unlink()
            for path, content in before.items():
                path.write_bytes(content)

    def restart(self) -> None:
        """Have the controller answer again, whatever became of it."""
        if self.controller.alive:
            self.controller.signal(signal.SIGCONT)
        self.controller.start()
        self.until_ready()

    # --- inside ----------------------------------------------------------------------------------

    def _daemon(self, program: str, *args: str, log: str = "", user: str = "") -> Daemon:
        path = self.root / "log" / f"{program}{log}.out"
        return Daemon(
            log or program, [shutil.which(program) or program, *args], path, self.env, user
        )

    def _make_folders(self) -> None:
        for name in ("log", "state", "munge", "run"):
            (self.root / name).mkdir(parents=True)
        # munge wants no writable folder above its socket
        self.root.chmod(0o755)
        (self.root / "munge").chmod(0o755)
        for name in self._names:
            (self.root / "spool" / name).mkdir(parents=True)
        key = self.root / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)

    def _write_configuration(self) -> None:
        controller, _, *nodes = self._ports
        root, host = self.root, socket.gethostname().split(".")[0]
        settings: dict[str, Any] = {
            "ClusterName": self.name,
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": controller,
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self._munge}/socket",
            "CredType": "cred/munge",
            "StateSaveLocation": f"{root}/state",
            "SlurmdSpoolDir": f"{root}/spool/%n",
            "SlurmctldPidFile": f"{root}/run/slurmctld.pid",
            "SlurmdPidFile": f"{root}/run/%n.pid",
            "SlurmctldLogFile": f"{root}/log/slurmctld.log",
            "SlurmdLogFile": f"{root}/log/%n.log",
            "MpiDefault": "none",
            "SwitchType": "switch/none",
            "ProctrackType": "proctrack/cgroup" if self.cgroup else "proctrack/linuxproc",
            "TaskPlugin": "task/cgroup" if self.cgroup else "task/none",
            "JobAcctGatherType": "jobacct_gather/linux",
            "JobAcctGatherFrequency": 1,
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU_Memory",
            "SchedulerType": "sched/backfill",
            "SchedulerParameters": _FAST,
            "PriorityType": "priority/basic",
            "PreemptType": "preempt/partition_prio",
            "PreemptMode": "REQUEUE",
            "EpilogMsgTime": 0,
            "KillWait": 2,
            "SlurmdParameters": "config_overrides",
            "ReturnToService": 2,
            "SlurmctldTimeout": 10,
            "SlurmdTimeout": 10,
            "MessageTimeout": 10,
            "InactiveLimit": 0,
            "MinJobAge": 300,
            "MaxArraySize": 1001,
            "MaxJobCount": 50000,
            "DefMemPerCPU": 10,
            "AccountingStorageType": "accounting_storage/none",
        }
        if self.accounting:
            settings |= {
                "AccountingStorageType": "accounting_storage/slurmdbd",
                "AccountingStorageHost": "127.0.0.1",
                "AccountingStoragePort": self._database_port,
                "AccountingStoragePass": f"{self._munge}/socket",
            }
        lines = [f"{name}={value}" for name, value in (settings | self._settings).items()]
        lines += [
            f"NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={self.cpus} RealMemory=4000 State=UNKNOWN"
            for name, port in zip(self._names, nodes, strict=False)
        ]
        everywhere = f"Nodes={','.join(self._names)} State=UP"
        lines += [
            f"PartitionName=main {everywhere} Default=YES MaxTime=INFINITE DefaultTime=10",
            f"PartitionName=short {everywhere} MaxTime=1",
        ]
        self.conf.write_text("\n".join(lines) + "\n")
        (self.root / "cgroup.conf").write_text(
            "CgroupPlugin=autodetect\nCgroupAutomount=no\nConstrainRAMSpace=yes\n"
            "ConstrainSwapSpace=no\nConstrainCores=no\nConstrainDevices=no\n"
        )

    def _start_database(self) -> None:
        need_programs(slurmdbd="slurmdbd", mariadbd="mariadb-server")
        root, port = self.root, self._database_port
        data, sock = root / "mysql", root / "mysql" / "socket"
        data.mkdir()
        shutil.chown(data, "mysql", "mysql")
        # The kernel's own asynchronous files are few: several of these may run on one machine.
        plain = "--innodb-use-native-aio=0"
        self.run(
            "mysql_install_db", "--no-defaults", "--user=mysql", f"--datadir={data}", plain,
            f"--tmpdir={data}", "--auth-root-authentication-method=normal", "--skip-test-db",
        )  # fmt: skip
        mariadb = self._daemon(
            "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={sock}",
            f"--pid-file={data}/pid", f"--tmpdir={data}", plain, "--skip-networking", "--innodb-buffer-pool-size=128M",
            "--innodb-flush-log-at-trx-commit=2", "--innodb-lock-wait-timeout=900", user="mysql",
        )  # fmt: skip
        mariadb.start()
        ask = ("mysql", "--no-defaults", "-u", "root", "-S", os.fspath(sock), "-e")
        self._await(lambda: self.works(*ask, "select 1"), "mariadbd")
        self.run(*ask, "create user slurm@localhost identified by 'slurm'; "
                 "grant all on slurm_acct_db.* to slurm@localhost")  # fmt: skip
        conf = root / "slurmdbd.conf"
        conf.write_text(
            f"AuthType=auth/munge\nAuthInfo=socket={root}/munge/socket\nDbdHost={socket.gethostname()}\n"
            f"DbdAddr=127.0.0.1\nDbdPort={port}\nSlurmUser=root\nLogFile={root}/log/slurmdbd.log\n"
            f"PidFile={root}/run/slurmdbd.pid\nStorageType=accounting_storage/mysql\n"
            "StorageHost=localhost\nStorageUser=slurm\nStoragePass=slurm\n"
            "StorageLoc=slurm_acct_db\n"
        )
        conf.chmod(0o600)
        self.env["MYSQL_UNIX_PORT"] = os.fspath(sock)
        slurmdbd = self._daemon("slurmdbd", "-D")
        slurmdbd.start()
        self.database = [mariadb, slurmdbd]
        self._await(lambda: self.works("sacctmgr", "--noheader", "list", "cluster"), "slurmdbd")
        self.run("sacctmgr", "--immediate", "add", "cluster", self.name)

    def _idle(self) -> bool:
        try:
            states = self.run("sinfo", "--noheader", "--Node", "--partition=main", "--format=%T")
        except subprocess.SubprocessError:
            return False
        ready = [line for line in states.split() if line in ("idle", "mixed", "allocated")]
        return len(ready) == len(self.nodes)

    def _await(self, condition: Any, what: str) -> None:
        try:
            until(condition, what, 60)
        except TimeoutError as error:
            daemons = [self.munged, *self.database, self.controller, *self.nodes.values()]
            words = [f"{d.name}: {d.last_words()}" for d in daemons if d.last_words()]
            raise RuntimeError(f"{error}\n" + "\n".join(words)) from error


def _has_cgroups() -> bool:
    """Tell whether this process may make groups: then Slurm sees all of a job and limits it."""
    probes = [Path("/sys/fs/cgroup") / name / "sched_probe" for name in ("freezer", "memory")]
    try:
        for probe in probes:
            probe.mkdir()
            probe.rmdir()
    except OSError:
        return False
    return True
