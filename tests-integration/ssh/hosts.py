"""Real hosts to run jobs on: namespaces of this machine, each with its own sshd, disk and boot id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..daemons import EngineMissing, need_programs, until
from .namespaces import Network, run

__all__ = ["Host", "Lab"]

_INIT = Path(__file__).with_name("hostinit.sh")
_ESTABLISHED, _LISTENS = "01", "0A"
"""States of sockets in /proc/net/tcp."""
_PID = "/run/sshd.pid"
_NAMESPACES = ["--mount", "--uts", "--ipc", "--pid", "--net"]
_SETTINGS = {
    "Port": "22",
    "HostKey": "/etc/ssh/ssh_host_ed25519_key",
    "PubkeyAuthentication": "yes",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "UsePAM": "no",
    "PermitRootLogin": "prohibit-password",
    "UseDNS": "no",
    "StrictModes": "no",
    "PidFile": _PID,
    "MaxSessions": "10",
    "MaxStartups": "10:30:100",
}


class Host:
    """One host: it can be cut off, rebooted, and looked into."""

    def __init__(
        self,
        lab: Lab,
        number: int,
        *,
        uid: int,
        shared: Sequence[Path] = (),
        shell: str = "/bin/bash",
        without: Sequence[str] = (),
        only: Sequence[str] = (),
        settings: dict[str, str] | None = None,
    ) -> None:
        self.name = f"h{number}"
        self.number = number
        self.address = lab.network.address(number)
        self._lab = lab
        self._state = lab.root / self.name
        self._uid, self._shared, self._shell = uid, shared, shell
        self._without, self._only = without, only
        self._settings = _SETTINGS | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    @property
    def home(self) -> Path:
        """The user's home on that host, as this machine sees it."""
        return self._state / "disk/home" / self._lab.user

    @property
    def scratch(self) -> Path:
        """A disk of the host's own, /scratch there."""
        return self._state / "disk/scratch"

    @property
    def root(self) -> Path:
        """The whole of the host's disks, as long as it is up."""
        return Path(f"/proc/{self._first}/root")

    def key(self) -> str:
        """Return the host's public key."""
        return " ".join((self._state / "ssh_host_ed25519_key.pub").read_text().split()[:2])

    def new_key(self) -> None:
        """Give the host another key; its sshd sees it when it is booted again."""
        for name in ("ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"):
            (self._state / name).unlink(missing_ok=True)
        _keygen(self._state / "ssh_host_ed25519_key")

    def make_disk(self) -> None:
        (self.home / ".ssh").mkdir(parents=True)
        self.scratch.mkdir(parents=True)
        self.scratch.chmod(0o1777)
        shutil.copy(self._lab.public_key, self.home / ".ssh/authorized_keys")
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, self._uid, self._uid)
        self.new_key()

    def boot(self) -> None:
        """Start the host, and wait until its sshd answers."""
        settings = "".join(f"{key} {value}\n" for key, value in self._settings.items())
        (self._state / "sshd_config").write_text(settings)
        (self._state / "boot_id").write_text(f"{uuid.uuid4()}\n")
        argv = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *("unshare", *_NAMESPACES, "--fork", "--kill-child"),
            *("bash", os.fspath(_INIT), os.fspath(self._state), self.name, self._lab.user),
            *(str(self._uid), self._shell, " ".join(self._without), " ".join(self._only)),
            *map(os.fspath, self._shared),
        ]
        log = self._state / "init.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        until(children.read_text, f"{self.name} is made")
        self._first = int(children.read_text().split()[0])
        until(lambda: self._is_apart() or self._died(log), f"{self.name} is apart")
        self._lab.network.plug(self.number, self._first)
        up = self.root / "run/up"
        until(lambda: up.exists() or self._died(log), f"{self.name} is up")
        self._until_sshd_is_up()

    def _until_sshd_is_up(self) -> None:
        self._until_sshd_listens()
        # Written last: by it the one that takes connections is told from those that serve one.
        pid = self.root / _PID[1:]
        until(lambda: pid.exists() and pid.read_text().strip(), f"sshd of {self.name} notes its id")

    def _until_sshd_listens(self, port: int = 22) -> None:
        # It goes to the background before it does. No connection is made to tell: it would count
        # among those that a test's sshd lets begin, and logs.
        until(lambda: self._sockets(_LISTENS, port), f"sshd of {self.name} listens")

    def _is_apart(self) -> bool:
        # Only then is unshare's child in all of its namespaces.
        return os.readlink(f"/proc/{self._first}/ns/net") != os.readlink("/proc/self/ns/net")

    def _died(self, log: Path) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise EngineMissing(f"the host {self.name} does not start: {log.read_text()[-2000:]}")
        return False

    def power_off(self) -> None:
        """End everything on the host at once, and take its cable away."""
        if self._process is not None:
            self.end()
            self._lab.network.unplug(self.number)

    def end(self) -> None:
        """End everything on the host at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._first, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def reboot(self) -> None:
        """Power off and boot again: another boot id, the same disk."""
        self.power_off()
        self.boot()

    def cut(self) -> None:
        """Cut the link, silently."""
        self._lab.network.ip("link", "set", f"p{self.number}", "down")

    def heal(self) -> None:
        """Undo `cut`, and have the kernel forget that it was looking for the host in vain."""
        self._lab.network.ip("link", "set", f"p{self.number}", "up")
        self._lab.network.ip("neigh", "flush", "to", self.address, "dev", "br0")

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Cut the link for a while."""
        self.cut()
        try:
            yield
        finally:
            self.heal()

    def swallow(self) -> None:
        """Have whatever is sent to the host vanish: nobody answers, not even that nobody is there."""
        here = ("neigh", "replace", self.address, "lladdr", "02:00:00:00:00:01", "dev", "br0")
        self._lab.network.ip(*here, "nud", "permanent")

    def run(self, *argv: str) -> str:
        """Run a program on the host, as root."""
        return run(["nsenter", "-t", str(self._first), *"-m -u -i -n -p -r -w".split(), *argv])

    def kill_sshd(self, *, listener: bool = True) -> None:
        """End the host's sshd with all its connections, or with them alone."""
        spare = "" if listener else f'[ "$p" = "/proc/$(cat {_PID})" ] || '
        look = 'read x <"$p/comm" 2>/dev/null || continue; case $x in sshd*) '
        # First who takes connections: none that is made meanwhile is passed over.
        first = f"kill -9 $(cat {_PID}); rm {_PID}; " if listener else ""
        self.run(
            "sh",
            "-c",
            f'{first}for p in /proc/[0-9]*; do {look}{spare}kill -9 "${{p#/proc/}}";; esac; done; :',
        )
        if listener:
            until(lambda: not self._sockets(_LISTENS), f"sshd of {self.name} is gone")

    def end_sessions(self) -> None:
        """End the connections of the user who is logged in."""
        for pid in self.processes(f"sshd: {self._lab.user}"):
            with contextlib.suppress(RuntimeError):  # it has ended with another one
                self.run("kill", "-9", str(pid))

    def start_sshd(self) -> None:
        """Start sshd again, and wait until it listens."""
        self.run("/usr/sbin/sshd", "-E", "/run/sshd.log", "-f", "/etc/ssh/sshd_config")
        self._until_sshd_is_up()

    def listen_on(self, port: int) -> None:
        """Have another sshd on the host, on a port of its own."""
        self.run(
            "/usr/sbin/sshd", "-f", "/etc/ssh/sshd_config", "-p", f"{port}", "-o", "PidFile=none"
        )
        self._until_sshd_listens(port)

    def add_program(self, name: str, text: str) -> None:
        """Have the host's program of a name be a script; for hosts that lack one."""
        path = self.root / "usr/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def processes(self, word: str) -> list[int]:
        """Return the processes of the host that have the word in their command line."""
        found = []
        for entry in (self.root / "proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found

    def connections(self) -> int:
        """Return how many connections sshd has."""
        return self._sockets(_ESTABLISHED)

    def _sockets(self, state: str, port: int = 22) -> int:
        """Return how many sockets of sshd's port are in a state of the kernel's."""
        told = Path(f"/proc/{self._first}/net/tcp").read_text()
        rows = [line.split() for line in told.splitlines()[1:]]
        return sum(row[1].endswith(f":{port:04X}") and row[3] == state for row in rows)

    def log(self) -> str:
        """Return what sshd has logged."""
        return (self.root / "run/sshd.log").read_text()


class Lab:
    """Hosts, their network, and the user's home with the keys and names for them."""

    user = "alice"

    def __init__(self, root: Path, net: str = "10.99.7") -> None:
        need_programs(
            sshd="openssh-server", ip="iproute2", unshare="util-linux", nsenter="util-linux"
        )
        self.root = root
        root.chmod(0o711)
        self.network = Network(net)
        self.home = root / "driver"
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        self.key = self.home / ".ssh/id_ed25519"
        self.public_key = self.home / ".ssh/id_ed25519.pub"
        _keygen(self.key)
        self.hosts: list[Host] = []

    def host(
        self,
        *,
        uid: int = 2001,
        shared: Sequence[Path] = (),
        shell: str = "/bin/bash",
        without: Sequence[str] = (),
        only: Sequence[str] = (),
        **settings: str,
    ) -> Host:
        """Start another host; `settings` are those of its sshd.

        `without` are programs that it lacks, `only` the ones that it has at all.
        """
        host = Host(
            self,
            len(self.hosts) + 1,
            uid=uid,
            shared=shared,
            shell=shell,
            without=without,
            only=only,
            settings=settings,
        )
        host.make_disk()
        self.hosts.append(host)
        host.boot()
        self.write_home()
        return host

    def write_home(self) -> None:
        """Write what the user's ssh knows of the hosts."""
        names = "".join(f"Host {h.name}\n  HostName {h.address}\n" for h in self.hosts)
        (self.home / ".ssh/config").write_text(f"{names}Host *\n  User {self.user}\n")
        known = "".join(f"{h.address} {h.key()}\n" for h in self.hosts)
        (self.home / ".ssh/known_hosts").write_text(known)

    def stop(self) -> None:
        """End all hosts; their cables go with the network, for which nobody has to wait."""
        for host in self.hosts:
            host.end()
        self.network.close()


def _keygen(path: Path) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", os.fspath(path)])
