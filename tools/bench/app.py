"""The benchmark's command line."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from . import containers, engines, gbatch, hosts
from .cases import CASES, Case, guarded
from .figures import Figure
from .peers import install_peers
from .report import report, surroundings
from .sidebyside.command import FIELDS, RESULTS, plot, side_by_side
from .sizes import FULL, SMOKE, Sizes
from .table import table

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write the JSON; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.install_peers:
        install_peers()
    # What is ended by TERM leaves as little behind as what is ended by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _act(SMOKE if options.smoke else FULL, options)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure speed and size beside other programs in the same run."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}: all")
    for name in _RIGS:
        parser.add_argument(
            f"--{name}",
            action="append_const",
            const=name,
            dest="engines",
            help="on a real one, or an emulated cloud, that is started for it, as root: alone, or with the cases named",
        )
    parser.add_argument("--smoke", action="store_true", help="tiny counts: does all of it work?")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is not met")
    parser.add_argument("--json", metavar="FILE", help="where the figures go as JSON")
    parser.add_argument("--scratch", metavar="FOLDER", help="where runs are made, and removed")
    parser.add_argument(
        "--all",
        nargs="*",
        metavar="ENGINE",
        help=f"side by side with all peers, on {', '.join(FIELDS)}, or those named; "
        f"into {RESULTS.parent.name}/, in a smoke run only into --json",
    )
    parser.add_argument(
        "--plot", nargs="?", const=str(RESULTS), metavar="FILE", help="draw what --all has measured"
    )
    parser.add_argument(
        "--install-peers",
        action="store_true",
        help="install the peers before: a venv in the cache folder; parallel by apt-get, as root",
    )
    return parser


def _act(sizes: Sizes, options: argparse.Namespace) -> int:
    problem = _unknown("case", options.cases, CASES) or _unknown("engine", options.all, FIELDS)
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    if options.all is None and not options.plot:
        return _measure(sizes, options)
    code = 0
    if options.all is not None:
        file = options.json or (RESULTS if sizes.judged else None)
        code = side_by_side(options.all, sizes, file and Path(file), options.scratch)
    return code or (plot(Path(options.plot)) if options.plot else 0)


def _unknown(kind: str, names: Sequence[str] | None, known: Collection[str]) -> str:
    wrong = [name for name in names or () if name not in known]
    return f"there is no {kind} {wrong[0]}; there are {', '.join(known)}" if wrong else ""


def _measure(sizes: Sizes, options: argparse.Namespace) -> int:
    around = surroundings()
    began = time.monotonic()
    figures = _figures(sizes, options)
    print(table(figures))
    document = report(figures, sizes.name, around, time.monotonic() - began)
    if options.json:
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    if any(figure.value is None and not figure.case.endswith("peers") for figure in figures):
        return 1
    return int(options.check and any(figure.verdict == "not met" for figure in figures))


def _figures(sizes: Sizes, options: argparse.Namespace) -> list[Figure]:
    scratch = Path(tempfile.mkdtemp(prefix="sched-bench-", dir=options.scratch))
    figures: list[Figure] = []
    try:
        for name, case in _chosen(options).items():
            print(f"{name} ...", file=sys.stderr, flush=True)
            folder = scratch / name
            folder.mkdir()
            figures += case(sizes, folder)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return figures


_RIGS: dict[str, Case] = {
    **{name: partial(engines.measure, engine) for name, engine in engines.ENGINES.items()},
    "ssh": hosts.measure,
    "container": containers.measure,
    "gbatch": gbatch.measure,
}


def _chosen(options: argparse.Namespace) -> dict[str, Case]:
    rigs = options.engines or []
    names = options.cases or ([] if rigs else CASES)
    chosen = {name: CASES[name] for name in names}
    return chosen | {name: guarded(name, _RIGS[name]) for name in dict.fromkeys(rigs)}
