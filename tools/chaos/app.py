"""The command line of the chaos program."""

from __future__ import annotations

import argparse
import ctypes
import math
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .backends import BACKENDS
from .report import Figures, as_json, table
from .rounds import Stopped, UnknownFault, Wish, run_rounds

__all__ = ["main"]

_CLONE_NEWNS = 0x20000


def main(arguments: Sequence[str] | None = None) -> int:
    """Have rounds of chaos, print the report and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # What is ended by TERM leaves as little behind as what is ended by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not os.geteuid():
        _have_own_mounts()
    rows = [Figures(name) for name in options.backend]
    try:
        code = _run(rows, options)
    except UnknownFault as error:
        parser.error(str(error))
    met = [row for row in rows if row.seconds or row.note]
    print(table(met))
    if options.json:
        Path(options.json).write_text(as_json(met, options.seed))
    return code


def _run(rows: Sequence[Figures], options: argparse.Namespace) -> int:
    wish = Wish(options.seed, options.minutes * 60 / len(rows), options.fault)
    try:
        for row in rows:
            _say(f"{row.backend}: seed {options.seed}")
            run_rounds(BACKENDS[row.backend], row, wish, _say)
    except Stopped:
        return 1
    except KeyboardInterrupt:
        return 130
    for row in rows:
        if row.note:
            _say(f"{row.backend}: {row.note}")
    return int(any(row.note for row in rows))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _have_own_mounts() -> None:
    """Have mounts that end with this process, however it ends."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) == 0:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)


# --- options -----------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chaos",
        description="Run jobs on real engines, kill drivers, daemons and links at random, and see "
        "that no job is lost, none runs twice and nothing is left. All but local needs root.",
    )
    parser.add_argument(
        "--backend",
        type=_backends,
        default="all",
        metavar="NAMES",
        help=f"of {', '.join(BACKENDS)}, with commas between them; all (the default)",
    )
    parser.add_argument(
        "--minutes", type=_minutes, default=5.0, metavar="M",
        help="how long to begin new rounds, shared by the backends (5)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=_seed, metavar="N", default=None,
        help="what the plan of all rounds follows from; by default another one each time",
    )  # fmt: skip
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME",
        help="strike with this alone, by its name in the report; repeatable",
    )  # fmt: skip
    parser.add_argument("--json", type=_file, metavar="FILE", help="where the report goes as JSON")
    parser.set_defaults(seed=secrets.randbelow(1_000_000))
    return parser


def _backends(text: str) -> list[str]:
    names = list(BACKENDS) if text == "all" else list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in BACKENDS:
            raise argparse.ArgumentTypeError(
                f"there is no backend {name!r}; there are {', '.join(BACKENDS)}, all"
            )
    return names


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes; write 5 or 0.5")
    return minutes


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; it is a whole number, such as 7")
    return int(text)


def _file(text: str) -> str:
    if not Path(text).absolute().parent.is_dir() or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder")
    return text
