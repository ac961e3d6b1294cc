"""Play one scenario again: `python -m sched_core.testing.simulator 'seed=4711 faults=preempted'`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import NoReturn

from .driver import Host
from .faults import Fault
from .scenario import Outcome, Scenario
from .simulation import simulate

_DESCRIPTION = "Play a simulated run again: the same scenario always gives the same one."
_EPILOG = "Exit status: 0 if all is well, 1 if something happened that must not, 2 for what cannot be played."


def main(argv: Sequence[str] | None = None) -> int:
    """Play what the command line names; return the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.faults:
        sys.stdout.write("".join(f"{fault:20}{fault.doc}\n" for fault in Fault))
        return 0
    try:
        seed = [] if options.seed is None else [f"seed={options.seed}"]
        scenario = Scenario.parse(" ".join([*seed, *options.scenario]))
        host = None if options.pipeline is None else _find(options.pipeline)
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    with nullcontext() if options.log else _silence():
        outcome = simulate(scenario, host)
        if options.shrink and outcome.violations:
            scenario, outcome = _shrink(scenario, host, outcome)
    _report(scenario, outcome, story=options.trace)
    return 1 if outcome.violations else 0


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the drivers log from everybody, whose process may go on after this."""
    log, nowhere = logging.getLogger("sched"), logging.NullHandler()
    before, log.propagate = log.propagate, False
    log.addHandler(nowhere)
    try:
        yield
    finally:
        log.removeHandler(nowhere)
        log.propagate = before


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}; --help says what there is\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m sched_core.testing.simulator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("scenario", nargs="*", metavar="NAME=VALUE", help="such as seed=4711")
    parser.add_argument("--seed", metavar="N", help="the same as seed=N")
    parser.add_argument("--trace", action="store_true", help="tell all that happens, a line each")
    parser.add_argument(
        "--shrink", action="store_true", help="leave out faults as long as it goes wrong"
    )
    parser.add_argument("--log", action="store_true", help="show what the drivers log, on stderr")
    parser.add_argument(
        "--pipeline", metavar="MODULE:FUNCTION", help="what drivers do, in place of simple commands"
    )
    parser.add_argument("--faults", action="store_true", help="list what can go wrong, and end")
    return parser


def _find(name: str) -> Host:
    """Return a function by its module and its name. Raises ValueError or ImportError."""
    module, colon, function = name.partition(":")
    if not colon or not module:
        raise ValueError(f"--pipeline {name!r}: it is given as MODULE:FUNCTION")
    sys.path.insert(0, "")
    found: Host | None = getattr(import_module(module), function, None)
    if not callable(found):
        raise ValueError(f"--pipeline {name!r}: there is no function {function!r} in {module}")
    return found


def _shrink(scenario: Scenario, host: Host | None, outcome: Outcome) -> tuple[Scenario, Outcome]:
    """Leave out every fault without which it still goes wrong."""
    for fault in sorted(scenario.faults):
        smaller = replace(scenario, faults=scenario.faults - {fault})
        found = simulate(smaller, host)
        if found.violations:
            scenario, outcome = smaller, found
    return scenario, outcome


def _report(scenario: Scenario, outcome: Outcome, *, story: bool) -> None:
    lines = [*outcome.story, ""] if story else []
    struck = ", ".join(f"{fault} {count}" for fault, count in outcome.faults.most_common())
    ran = len(outcome.executions)
    lines.append(f"{scenario}")
    lines.append(
        f"{len(outcome.jobs)} jobs, {ran} starts, {outcome.faults.total()} faults in "
        f"{outcome.seconds:.0f} virtual seconds: {struck or 'none'}"
    )
    lines += [f"WRONG {what}" for what in outcome.violations] or [
        "nothing went wrong that must not"
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
