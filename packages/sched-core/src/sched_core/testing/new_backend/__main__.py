"""The command line: `python -m sched_core.testing.new_backend NAME [--folder DIR]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ...errors import OptionError
from .names import Names
from .writing import write_package

__all__ = ["main"]

_NEXT = """made {target}; its scheduler runs jobs already, by a toy engine: see its README.md
next:  cd {target}
       python -m pip install -e '.[test]' sched-meta
       python -m pytest -n 4
       sched run -s {scheduler} -- echo hello
"""


def main(typed: Sequence[str] | None = None) -> int:
    """Make the package, and return 0, or 2 where nothing was made, which stderr explains."""
    parser = argparse.ArgumentParser(
        "new-backend", description="Make a package with a scheduler of its own, from a template."
    )
    parser.add_argument("name", metavar="NAME", help="what users will type after `sched run -s`")
    parser.add_argument(
        *("--folder", "-f"), metavar="DIR", default=".", help="where to make sched-NAME; here"
    )
    given = parser.parse_args(typed)
    try:
        names = Names.check(given.name)
        target = write_package(names, Path(os.path.abspath(given.folder)))
    except OptionError as error:
        sys.stderr.write(f"new-backend: {error}\n")
        return 2
    sys.stdout.write(_NEXT.format(target=target, scheduler=names.scheduler))
    return 0


if __name__ == "__main__":
    sys.exit(main())
