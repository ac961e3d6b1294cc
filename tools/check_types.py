"""Check types: the packages and tools together, then each package's tests by themselves.

The tests of two packages may have files of the same name (conftest.py), which mypy takes for
one module.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def groups() -> Iterator[list[Path]]:
    yield [*sorted(ROOT.glob("packages/*/src")), *sorted(ROOT.glob("tools/*.py"))]
    for folder in [ROOT / "tools" / "bench", *sorted(ROOT.glob("packages/*/tests"))]:
        if any(folder.rglob("*.py")):
            yield [folder]
    yield [ROOT / "conftest.py"]


def check(paths: list[Path]) -> int:
    print("mypy", *(path.relative_to(ROOT) for path in paths), flush=True)
    command = [sys.executable, "-m", "mypy", *map(str, paths), *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(max([check(paths) for paths in groups()]))
