"""Make a backend as a third party would, install it beside our packages, and use and test it.

All of it comes from wheels: ours are those of dist/ (`python3 tools/dev.py build --all`), and the
template is the one in sched-core's. The new package has to be seen by `sched`, to run jobs, to be
clean for ruff and mypy as it was made, and to pass its tests, which are the contract above all.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .environments import Environment, uv

ROOT = Path(__file__).resolve().parent.parent
NAME = "sample-engine"
PACKAGE = "sched-sample-engine"
_WORKERS = "4"
"""Most of their time tests wait for jobs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An environment with our packages and the new one, and a home, where the new one is made."""

    environment: Environment
    home: Path

    @property
    def package(self) -> Path:
        return self.home / PACKAGE

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        return self.environment.run(program, *arguments, home=self.home, cwd=cwd)


def make(home: Path) -> Trial:
    """Install our packages, have the template made a package by what is installed, and install it."""
    trial = Trial(Environment.made(home / "env", sys.executable), home)
    trial.environment.install(*wheels(ROOT / "dist"))
    print(trial.run("python", "-m", "sched_core.testing.new_backend", NAME), end="", flush=True)
    built = home / "dist"
    uv("build", "--wheel", "--out-dir", built, trial.package)
    trial.environment.install(f"{PACKAGE}[test] @ {wheels(built)[0].as_uri()}", *checkers())
    return trial


def wheels(folder: Path) -> list[Path]:
    """Return the wheels of a folder. Raises SystemExit where there are none."""
    found = sorted(folder.glob("*.whl"))
    if not found:
        sys.exit(f"{folder} has no wheels: `python3 tools/dev.py build --all`")
    return found


def checkers() -> list[str]:
    """Return the linter and the type checker that we use ourselves."""
    environments = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    types = [word for word in groups["types"] if isinstance(word, str) and word.startswith("mypy")]
    return [*environments["hatch-check-code"]["dependencies"], *types]


def use(trial: Trial) -> None:
    """Use the new scheduler from the command line, as any other."""
    listed = trial.run("sched", "schedulers").splitlines()
    (row,) = [line for line in listed if line.split()[0] == NAME]
    assert row.split()[2:] == [PACKAGE, "0.1.0", "ok"], row
    assert "local" in {line.split()[0] for line in listed}, listed
    trial.run("sched", "doctor", NAME)
    values = ("--", "echo", "from {}", ":::", "one", "two")
    shown = trial.run("sched", "run", "-s", NAME, "-w", "run", "--dry-run", *values)
    assert " submit sample-engine-0 1 " in shown, shown
    assert not (trial.home / "run").exists()
    printed = trial.run("sched", "run", "-s", NAME, "-w", "run", "--cat", *values)
    assert printed == "from one\nfrom two\n", printed
    print(f"sched schedulers, doctor, run --dry-run and run -s {NAME}: ok", flush=True)


def test(trial: Trial) -> None:
    """Check the package as it was made, and run its tests."""
    at = trial.package
    for command in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy", "--explicit-package-bases", "src", "tests"),
        ("pytest", "-q", "-n", _WORKERS, "-p", "no:cacheprovider"),
    ):
        print(shlex.join(command), trial.run(*command, cwd=at).strip(), sep="\n", flush=True)


def main() -> None:
    with TemporaryDirectory(prefix="sched-backend-") as folder:
        trial = make(Path(folder))
        use(trial)
        test(trial)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        print(error.stdout or "", end="", file=sys.stderr)
        sys.exit(f"{error.cmd[0]} ended with {error.returncode}, see above")
