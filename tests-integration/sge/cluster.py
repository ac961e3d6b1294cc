"""A real Grid Engine on this machine, private to the tests: own cell, own ports, nothing of systemd."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ..daemons import Daemon, free_ports, need_programs, processes_with, until

__all__ = ["PROGRAMS", "SgeCluster"]

PROGRAMS = "/usr/lib/gridengine"
"""Where Debian has the programs, behind its wrappers in PATH."""

_SHARE = "/usr/share/gridengine"
_ENVIRONMENT = """
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""
_QUEUE = """
hostlist @allhosts
seq_no 0
load_thresholds NONE
suspend_thresholds NONE
nsuspend 1
suspend_interval 00:05:00
priority 0
min_cpu_interval 00:05:00
processors UNDEFINED
qtype BATCH INTERACTIVE
ckpt_list NONE
pe_list smp
rerun FALSE
tmpdir /tmp
shell /bin/sh
prolog NONE
epilog NONE
shell_start_mode unix_behavior
starter_method NONE
suspend_method NONE
resume_method NONE
terminate_method NONE
owner_list NONE
user_lists NONE
xuser_lists NONE
subordinate_list NONE
complex_values NONE
projects NONE
xprojects NONE
calendar NONE
initial_state default
""" + "".join(
    f"{kind}_{what} INFINITY\n"
    for what in ("rt", "cpu", "fsize", "data", "stack", "core", "rss", "vmem")
    for kind in ("s", "h")
)


class SgeCluster:
    """Starts, hurts and ends the daemons; `settings` stand in place of those of the cell.

    `late` is how many seconds the accounting may be behind: with 0 it is written at once.
    """

    def __init__(
        self,
        root: Path,
        *,
        slots: int = 128,
        notify: int = 5,
        late: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        need_programs(
            qsub="gridengine-client",
            sge_qmaster="gridengine-master",
            sge_execd="gridengine-exec",
            setpriv="util-linux",
        )
        self.root = root
        self.slots = slots
        self.notify = notify
        self.host = socket.gethostname()
        self._late = late
        self._settings = dict(settings or {})
        qmaster, execd = free_ports(2)
        self._groups = 1_000_000 + qmaster * 1000
        self.variables = {
            "SGE_ROOT": os.fspath(root / "root"),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(qmaster),
            "SGE_EXECD_PORT": str(execd),
        }
        self.env = {
            **os.environ,
            **self.variables,
            "SGE_ARCH": "lx-amd64",
            "SGE_SINGLE_LINE": "1",
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        }
        self._make_cell()
        self.qmaster = self._daemon("sge_qmaster")
        self.execd = self._daemon("sge_execd")

    # --- up and down -----------------------------------------------------------------------------

    def start(self) -> None:
        self.start_qmaster()
        self._configure()
        self.execd.start()
        self.until_ready()

    def start_qmaster(self) -> None:
        self.qmaster.start()
        self._await(lambda: self._works("qconf", "-sss"), "the qmaster")

    def until_ready(self) -> None:
        """Wait until the qmaster answers and its host can take jobs."""
        self._await(self._usable, "the queue")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.SubprocessError):
            self._end_jobs()
        for daemon in (self.execd, self.qmaster):
            daemon.kill()  # when told to end, the qmaster takes up to ten seconds
        for pid in processes_with(f"SGE_ROOT={self.variables['SGE_ROOT']}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_jobs(self) -> None:
        if not (self.qmaster.alive and self.execd.alive):
            return
        self.qmaster.signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.SubprocessError):
            self.run("qdel", "-u", "*", timeout=20)  # it fails where there is none
        with contextlib.suppress(TimeoutError):
            until(lambda: not self.run("qstat", "-u", "*", timeout=20), "the jobs' ends", 10)

    # --- use -------------------------------------------------------------------------------------

    def run(self, *argv: str, timeout: float = 60, stdin: str = "") -> str:
        """Run one of Grid Engine's tools and return what it prints."""
        done = subprocess.run(
            argv,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise subprocess.SubprocessError(f"{argv}: {done.stdout}{done.stderr}")
        return done.stdout

    def submit(self, name: str, script: str, *options: str) -> str:
        """Submit a job by hand and return its id."""
        argv = ["qsub", "-terse", "-N", name, "-o", "/dev/null", "-j", "y", *options]
        return self.run(*argv, stdin=f"#!/bin/sh\n{script}\n").strip()

    def state(self, jid: str) -> str:
        """Return the state of a job or a task, empty where the queue does not have it."""
        id_, _, task = jid.partition(".")
        for line in self.run("qstat", "-u", "*", "-g", "d").splitlines()[2:]:
            words = line.split()
            if words[0] == id_ and (not task or words[-1] == task):
                return words[4]
        return ""

    def saved(self) -> dict[Path, bytes]:
        """Return all that the qmaster has on disk, once it has been stopped and started again."""
        self.qmaster.stop(30)
        spool = self.root / "spool"
        folders = (spool / "spooldb", spool / "qmaster")
        content = {
            path: path.read_bytes()
            for folder in folders
            for path in folder.rglob("*")
            if path.is_file()
        }
        self.start_qmaster()
        return content

    def forget(self, saved: Mapping[Path, bytes]) -> None:
        """Crash the qmaster, and start it as if it had saved nothing since."""
        self.qmaster.kill()
        for folder in {path.parent for path in saved}:
            for path in folder.iterdir():
                if path.is_file():
                    path.unlink()
        for path, content in saved.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.start_qmaster()

    def processes_of(self, jid: str) -> list[int]:
        """Return the processes of a job; another cell of this machine may have one of the same number."""
        own = set(processes_with(f"SGE_ROOT={self.variables['SGE_ROOT']}"))
        return [pid for pid in processes_with(f"JOB_ID={jid}") if pid in own]

    def lose_watchers(self) -> None:
        """End what watches the host's jobs, as a failing host would; the jobs themselves go on."""
        for pid in processes_with(f"SGE_ROOT={self.variables['SGE_ROOT']}"):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().startswith("sge_shepherd"):
                    os.kill(pid, signal.SIGKILL)

    def change(self, **settings: str) -> None:
        """Change settings of the cell."""
        self._settings |= settings
        self._load("-Mconf", "global", self._cell_settings())

    # --- inside ----------------------------------------------------------------------------------

    def _daemon(self, program: str) -> Daemon:
        # SGE_ND: it stays in the foreground.
        env = {**self.env, "SGE_ND": "1"}
        log = self.root / "log" / f"{program}.out"
        return Daemon(program, [f"{PROGRAMS}/{program}"], log, env)

    def _make_cell(self) -> None:
        root, spool = self.root / "root", self.root / "spool"
        common = root / "default" / "common"
        for folder in (common, spool / "spooldb", spool / "qmaster/job_scripts", spool / "execd"):
            folder.mkdir(parents=True)
        for name in ("log", "conf"):
            (self.root / name).mkdir()
        self.root.chmod(0o755)
        (root / "util").symlink_to(f"{_SHARE}/util")
        bootstrap = Path(f"{_SHARE}/default-bootstrap").read_text()
        places = {
            # One that gives up root by itself would also give up its end with this process.
            "admin_user": "root",
            "spooling_params": spool / "spooldb",
            "qmaster_spool_dir": spool / "qmaster",
            "binary_path": PROGRAMS,
        }
        (common / "bootstrap").write_text(_with(bootstrap, {k: str(v) for k, v in places.items()}))
        (common / "act_qmaster").write_text(f"{self.host}\n")
        # Every name that an address of this machine has is one host.
        names = {"localhost", *_names_of_loopback()} - {self.host}
        (common / "host_aliases").write_text(" ".join([self.host, *sorted(names)]) + "\n")
        self.run(
            f"{_SHARE}/scripts/init_cluster",
            os.fspath(root),
            "default",
            os.fspath(spool / "spooldb"),
            "root",
        )

    def _configure(self) -> None:
        self._load("-Mconf", "global", self._cell_settings())
        scheduling = {
            "schedule_interval": "0:0:1",
            "flush_submit_sec": "1",
            "flush_finish_sec": "1",
            "job_load_adjustments": "NONE",
            "load_adjustment_decay_time": "0:0:0",
            "schedd_job_info": "true",
        }
        self._load("-Msconf", "scheduler", _with(self.run("qconf", "-ssconf"), scheduling))
        for option in ("-ah", "-as"):
            self.run("qconf", option, self.host)
        nothing = "complex_values user_lists xuser_lists projects xprojects usage_scaling report_variables"
        host = [
            f"hostname {self.host}",
            "load_scaling NONE",
            *(f"{n} NONE" for n in nothing.split()),
        ]
        has_host = self._works("qconf", "-se", self.host)
        self._load("-Me" if has_host else "-Ae", "exechost", "\n".join(host) + "\n")
        self._load("-Ahgrp", "group", f"group_name @allhosts\nhostlist {self.host}\n")
        self._load("-Ap", "environment", f"pe_name smp{_ENVIRONMENT}")
        queue = f"{_QUEUE}slots {self.slots}\nnotify 00:00:{self.notify:02d}\n"
        self._load("-Aq", "queue", f"qname all.q{queue}")

    def _cell_settings(self) -> str:
        late = f"00:00:{self._late:02d}"
        reporting = (
            f"accounting=true reporting=false flush_time={late if self._late else '00:00:01'}"
        )
        settings = {
            "execd_spool_dir": f"{self.root}/spool/execd",
            "mailer": "/bin/true",
            "min_uid": "0",
            "min_gid": "0",
            "gid_range": f"{self._groups}-{self._groups + 999}",
            "load_report_time": "00:00:01",
            "max_unheard": "00:00:20",
            "reporting_params": f"{reporting} accounting_flush_time={late} joblog=false",
        }
        return _with(self.run("qconf", "-sconf"), settings | self._settings)

    def _load(self, option: str, name: str, text: str) -> None:
        path = self.root / "conf" / name
        path.write_text(text)
        self.run("qconf", option, os.fspath(path))

    def _works(self, *argv: str) -> bool:
        try:
            self.run(*argv)
        except subprocess.SubprocessError:
            return False
        return True

    def _usable(self) -> bool:
        try:
            lines = self.run("qstat", "-f", "-q", "all.q").splitlines()
        except subprocess.SubprocessError:
            return False
        # name, type, places, load, architecture; then states, where there are any
        rows = [line.split() for line in lines if line.startswith("all.q@")]
        return any(len(row) == 5 and row[3] != "-NA-" for row in rows)

    def _await(self, condition: Callable[[], object], what: str) -> None:
        try:
            until(condition, what, 60)
        except TimeoutError as error:
            logs = sorted((self.root / "spool").rglob("messages"))
            words = [self.qmaster.last_words(), self.execd.last_words()]
            words += ["\n".join(log.read_text().splitlines()[-8:]) for log in logs]
            raise RuntimeError("\n".join([str(error), *filter(None, words)])) from error


def _with(text: str, settings: Mapping[str, str]) -> str:
    """Return settings as qconf prints and reads them, with these in place of their own."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    kept = [line for line in lines if line.split()[0] not in settings]
    return "\n".join([*kept, *(f"{name} {value}" for name, value in settings.items())]) + "\n"


def _names_of_loopback() -> list[str]:
    with contextlib.suppress(OSError):
        lines = Path("/etc/hosts").read_text().splitlines()
        return [name for line in lines if line.startswith("127.") for name in line.split()[1:]]
    return []
