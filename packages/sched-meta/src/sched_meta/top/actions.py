"""What a key does to a run: as `sched kill` and `sched retry` do it, beside the screen."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from ..console import words_go_to
from ..driving.control import ask_to_retry, kill_jobs
from ..reading.runfolder import RunFolder
from ..wording import plain
from .looking import in_words

__all__ = ["kill", "retry"]

Tell = Callable[[str], None]
"""Gets in words what came of it; it is called in another thread."""


def kill(folder: RunFolder, indexes: Sequence[int] | None, tell: Tell) -> None:
    """Have jobs killed, None for all of them, whether somebody drives the run or not."""
    _beside(lambda: kill_jobs(folder, [_words(indexes)] if indexes else ()), tell)


def retry(folder: RunFolder, indexes: Sequence[int] | None, tell: Tell) -> None:
    """Have jobs run once more, None for all that failed or were killed.

    Where nobody drives the run, a driver begins in the background.
    """
    words = [_words(indexes)] if indexes else []

    def ask() -> None:
        if not ask_to_retry(folder, words):
            tell(_drive_in_background(["retry", folder.path, *words, "-d"]))

    _beside(ask, tell)


def _words(indexes: Sequence[int]) -> str:
    return ",".join(map(str, indexes))


def _drive_in_background(args: Sequence[str]) -> str:
    """Run `sched` with these arguments, which let it leave its terminal; return its first words."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sched_meta", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    first = next(iter(done.stderr.splitlines()), f"sched ended with {done.returncode}")
    return plain(first.removeprefix("sched: "))


def _beside(act: Callable[[], object], tell: Tell) -> None:
    def work() -> None:
        with words_go_to(tell):
            try:
                act()
            except Exception as error:  # noqa: BLE001  # nobody else would tell
                tell(in_words(error))

    # A daemon: leaving the screen does not wait for what was asked for.
    threading.Thread(target=work, daemon=True).start()
