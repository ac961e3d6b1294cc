"""What goes wrong whatever the backend: drivers that die, stand still, meet others; a disk that fills up."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .drivers import Driver, Drivers

__all__ = ["Disk", "Fault", "NotNow", "Tools", "faults_of_drivers"]

End = Callable[[], None]


class NotNow(Exception):
    """Nothing is there that could be struck."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can be made to happen."""

    begin: Callable[[Random], End | None]
    """Make it happen; return what ends it, where it lasts. Raises NotNow."""
    lasts: tuple[float, float] = (0.0, 0.0)
    """How many seconds, at least and at most."""
    loses: bool = False
    """Whether attempts may be ended by it, or started again by the engine."""
    fills: bool = False
    """Whether a disk is full meanwhile."""


# --- drivers -----------------------------------------------------------------------------------------


def faults_of_drivers(drivers: Drivers, *, elsewhere: bool) -> dict[str, Fault]:
    """Return what can happen to drivers; `elsewhere` says that one may go on in other namespaces."""
    blows = _Blows(drivers)
    faults = {
        "driver killed": Fault(blows.kill),
        "driver killed, two follow": Fault(blows.race),
        "driver stopped beside another": Fault(blows.stop, (0.5, 5.0)),
        "driver told to end": Fault(blows.tell, loses=True),
    }
    if elsewhere:
        # The next one waits for three heartbeats, of ten seconds each.
        faults["driver stopped and taken over"] = Fault(blows.take_over, (38.0, 45.0))
    return faults


class _Blows:
    """What is done to drivers."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def kill(self, chance: Random) -> None:
        if not self._drivers.kill():
            raise NotNow

    def race(self, chance: Random) -> None:
        self.kill(chance)
        self._drivers.start()
        self._drivers.start()

    def tell(self, chance: Random) -> None:
        driver = self._one()
        driver.struck = True
        driver.signal(chance.choice([signal.SIGINT, signal.SIGTERM]))

    def stop(self, chance: Random) -> End:
        return self._hold(self._one(), elsewhere=False)

    def take_over(self, chance: Random) -> End:
        return self._hold(self._one(), elsewhere=True)

    def _hold(self, driver: Driver, *, elsewhere: bool) -> End:
        driver.signal(signal.SIGSTOP)
        self._drivers.held.append(driver)
        self._drivers.start(elsewhere=elsewhere)

        def go_on() -> None:
            driver.signal(signal.SIGCONT)
            if driver in self._drivers.held:
                self._drivers.held.remove(driver)

        return go_on

    def _one(self) -> Driver:
        if not (working := self._drivers.working):
            raise NotNow
        return working[0]


# --- a disk ------------------------------------------------------------------------------------------


class Disk:
    """A small disk in memory, which ends with the mount namespace of this process."""

    def __init__(self, folder: Path, size: str = "64m") -> None:
        folder.mkdir(parents=True)
        options = f"size={size},mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
        self._folder, self._filler = folder, folder / "filler"

    def fill(self, chance: Random) -> End:
        """Leave no block free."""
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(1 << 16))
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        return self.free

    def fault(self) -> Fault:
        """Return what can happen to it."""
        return Fault(self.fill, (0.5, 6.0), fills=True, loses=True)

    def free(self) -> None:
        """Have room again."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Have it gone, whoever still looks at it."""
        subprocess.run(["umount", "--lazy", self._folder], check=True)


# --- an engine's tools -------------------------------------------------------------------------------

_TOOL = """\
#!/bin/sh
mode=$(cat {mode} 2>/dev/null)
case $mode in
  slow) sleep 2 ;;
  failing) echo {words} >&2; exit 1 ;;
  mute) {tool} "$@" >/dev/null; echo {words} >&2; exit 1 ;;
esac
exec {tool} "$@"
"""


class Tools:
    """Programs in front of an engine's own, which can be slow, fail, or lose their answers."""

    def __init__(self, folder: Path, tools: Mapping[str, str], words: str) -> None:
        """Make them; `words` are what the engine's tools say where it does not answer."""
        self.folder, self._mode = folder, folder / "mode"
        folder.mkdir()
        for name, path in tools.items():
            text = _TOOL.format(
                mode=shlex.quote(str(self._mode)), tool=shlex.quote(path), words=shlex.quote(words)
            )
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def faults(self) -> dict[str, Fault]:
        """Return what can happen to them."""
        return {
            "tools slow": Fault(lambda chance: self._set("slow"), (1.0, 6.0)),
            "tools failing": Fault(lambda chance: self._set("failing"), (0.5, 4.0)),
            "answers lost": Fault(lambda chance: self._set("mute"), (0.5, 4.0)),
        }

    def _set(self, mode: str) -> End:
        draft = self.folder / "draft"
        draft.write_text(mode)
        os.replace(draft, self._mode)
        return lambda: self._mode.unlink(missing_ok=True)
