"""Write the table of pains into tests-integration/README.md.

It needs each test's last result in DIR, where `python3 tools/dev.py test --pains DIR` puts them, a
part of the suite after the other if need be; the tests themselves are collected anew. CI fails where
the table is not what its own runs have shown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from ..marked import filled
from .results import NOT_RUN, Result, read, with_outcomes
from .table import DOCUMENT, MARK, problems, rendered

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    given = _arguments()
    results = with_outcomes(_collected(), read(given.results))
    if given.expected:
        results = [_passed(result) if result.outcome == NOT_RUN else result for result in results]
    found = [*_not_run(results), *problems(results)]
    if found:
        print(*found, sep="\n")
        return 1
    DOCUMENT.write_text(filled(DOCUMENT.read_text(), MARK, rendered(results)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pains", description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / ".pains", metavar="DIR")
    parser.add_argument(
        "--expected",
        action="store_true",
        help="take tests that have no result for passed: CI says whether that is so",
    )
    return parser.parse_args()


def _collected() -> list[Result]:
    """Return the tests of pains that there are now, as pytest finds them."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--collect-only", "-qq", "-k", "test_t", f"--pains={folder}"]
        command = [sys.executable, "-m", "pytest", *options]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stdout}\npytest cannot collect the tests")
        return read(Path(folder))


def _passed(result: Result) -> Result:
    return replace(result, outcome="passed")


def _not_run(results: list[Result]) -> list[str]:
    tests = sorted(result.test for result in results if result.outcome in (NOT_RUN, "skipped"))
    return [f"{test}: has no result; run it with --pains, or --expected takes it" for test in tests]


if __name__ == "__main__":
    sys.exit(main())
