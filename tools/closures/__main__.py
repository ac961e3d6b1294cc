"""Install each package alone, from wheels and without an index, use it, and compare what it brings
with the table of README.md.

The wheels are those of dist/ (`python3 tools/dev.py build --all`). The number of packages has to be the
table's, the megabytes within a tenth or half a megabyte. Times of imports are only told by --write:
they are those of the machine at hand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..marked import filled, marked
from .closure import Closure, misfits
from .installs import INSTALLS
from .table import MEND, differences, rendered, rows_in
from .timing import Times, time_import
from .wheelhouse import ROOT, Installed, collect_wheels, installed

DOCUMENT = ROOT / "README.md"
MARK = "closures"


def main() -> int:
    writes = _arguments().write
    with TemporaryDirectory(prefix="sched-wheels-") as name:
        collect_wheels(Path(name))
        closures, times, problems = _try_all(Path(name), timed=writes)
    document = DOCUMENT.read_text()
    if not writes:
        found = differences(rows_in(marked(document, MARK)), closures)
        problems += [*found, MEND] if found else []
    elif not problems:
        DOCUMENT.write_text(filled(document, MARK, rendered(closures, times)))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return bool(problems)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="closures", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table of README.md anew")
    return parser.parse_args()


def _try_all(
    wheelhouse: Path, *, timed: bool
) -> tuple[dict[str, Closure], dict[str, Times], list[str]]:
    closures: dict[str, Closure] = {}
    times: dict[str, Times] = {}
    problems: list[str] = []
    for install in INSTALLS:
        with installed(install, wheelhouse) as there:
            closures[install.requirement], found = _try(there)
            problems += found
            if timed:
                python, later = there.environment.python, install.on_first_use
                times[install.requirement] = time_import(python, install.imports, later)
    return closures, times, problems


def _try(there: Installed) -> tuple[Closure, list[str]]:
    install, found = there.install, there.examine()
    there.use()
    closure = found.closure
    size = f"{len(closure.sizes)} packages, {closure.megabytes:.1f} MB"
    print(f"{install.requirement}: installed and used; {size}", flush=True)
    return closure, misfits(install, found)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} ended with {error.returncode}, see above")
