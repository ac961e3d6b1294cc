"""Check types: the packages and tools together, then each package's tests by themselves.

Tests have no `__init__.py`, so two packages may have test files of the same name. Mypy has to see
each `tests` folder from its own package to tell them apart and to follow relative imports. It takes
no dash in a package's name: `tests-integration` is shown to it under another.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MYPY = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]


def check(folder: Path, *patterns: str, options: tuple[str, ...] = ()) -> int:
    """Check what the patterns find below a folder, seen from that folder."""
    found = sorted(str(path.relative_to(folder)) for p in patterns for path in folder.glob(p))
    if not found:
        return 0
    print(f"mypy in {folder.relative_to(ROOT)}:", *found, flush=True)
    command = [*MYPY, *options, *found, *sys.argv[1:]]
    return subprocess.run(command, cwd=folder, check=False).returncode


def check_tests(package: Path) -> int:
    return check(package, "tests/**/*.py", options=("--explicit-package-bases",))


def check_integration() -> int:
    folder = ROOT / "tests-integration"
    with tempfile.TemporaryDirectory() as elsewhere:
        (Path(elsewhere) / "tests_integration").symlink_to(folder)
        found = sorted(str(path.relative_to(folder)) for path in folder.glob("**/*.py"))
        print("mypy in tests-integration:", *found, flush=True)
        options = ["--explicit-package-bases", f"--cache-dir={folder / '.mypy_cache'}"]
        names = [f"tests_integration/{name}" for name in found]
        command = [*MYPY, *options, *names, *sys.argv[1:]]
        return subprocess.run(command, cwd=elsewhere, check=False).returncode


def check_template() -> int:
    """Check what new backends are made of, as their authors will: by its own settings."""
    folder = ROOT / "packages/sched-core/src/sched_core/testing/new_backend/template"
    own = ("--config-file", "pyproject.toml", "--explicit-package-bases")
    return check(folder, "src", "tests", options=(*own, f"--cache-dir={ROOT / '.mypy_cache'}"))


def main() -> int:
    codes = [
        check(ROOT, "conftest.py", "packages/*/src"),
        check(
            ROOT,
            *("tools/*.py", "tools/tests/*.py"),
            *(f"tools/{name}/**/*.py" for name in ("chaos", "closures", "pains", "release")),
            options=("--explicit-package-bases",),
        ),
        check(
            ROOT / "tools",
            *(f"{name}/**/*.py" for name in ("bench", "docs")),
            options=("--explicit-package-bases",),
        ),
        check_integration(),
        check_template(),
        *(check_tests(package) for package in sorted(ROOT.glob("packages/*"))),
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
