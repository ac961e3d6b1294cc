"""A real job through `sched run`: hash and pack every file of Python's standard library.

Two commands a file, `sha256sum` and `gzip -9`; what they print is kept by the run, so nothing is
written outside of it. More arguments are handed on to `sched run`: `demo -j 1`.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {"__pycache__", "site-packages", "dist-packages"}
HASH = ["sha256sum"] if shutil.which("sha256sum") else ["shasum", "-a", "256"]
PACK = ["gzip", "-9", "-c"]


def library_files(library: Path) -> Iterator[Path]:
    """Every regular file that can be read, in an order that is the same each time."""
    for folder, folders, files in os.walk(library):
        folders[:] = sorted(set(folders) - SKIPPED)
        paths = (Path(folder, name) for name in sorted(files))
        yield from (
            p for p in paths if p.is_file() and not p.is_symlink() and os.access(p, os.R_OK)
        )


def printable(text: str) -> str:
    """A job's name is one line for people; its command keeps the file's name as it is."""
    return "".join(c if c.isprintable() else "?" for c in text)


def commands(library: Path) -> Iterator[dict[str, object]]:
    for path in library_files(library):
        name = printable(str(path.relative_to(library)))
        yield {"cmd": [*HASH, str(path)], "name": f"sha256 {name}"}
        yield {"cmd": [*PACK, str(path)], "name": f"gzip {name}"}


def next_run(runs: Path) -> Path:
    """The folder of this demo: demo-1, demo-2, ..."""
    numbers = [re.fullmatch(r"demo-(\d+)(\.jsonl)?", path.name) for path in runs.iterdir()]
    return runs / f"demo-{1 + max((int(found[1]) for found in numbers if found), default=0)}"


def write_list(path: Path, library: Path) -> int:
    lines = [json.dumps(command) for command in commands(library)]  # ASCII, whatever the names
    path.write_text("\n".join(lines) + "\n")
    return len(lines)


def sched_run(run: Path, list_file: Path, options: list[str]) -> int:
    """Run `sched run` in the foreground; Ctrl-C is for it alone, and it says how to resume."""
    sched = Path(sys.executable).with_name("sched")
    signal.signal(signal.SIGINT, lambda *_: None)  # unlike SIG_IGN, not inherited
    command = [str(sched), "run", "-w", str(run), *options, "--from", str(list_file)]
    return subprocess.run(command, check=False).returncode


def next_words(run: Path) -> str:
    """What to type next; `sched` is not on the PATH of a person who tries the demo."""
    dev = os.environ.get("DEV_COMMAND", "python3 tools/dev.py")
    where = shlex.quote(str(run.relative_to(ROOT)))
    return (
        f"\nThe run is in {run}\nIn this clone `sched` is `{dev} run sched`. Try next:\n"
        f"  {dev} run sched status {where}\n"
        f"  {dev} run sched logs {where} 0"
    )


def main() -> int:
    library = Path(sysconfig.get_path("stdlib"))
    runs = ROOT / "sched-runs"
    runs.mkdir(exist_ok=True)
    run = next_run(runs)
    list_file = runs / f"{run.name}.jsonl"
    count = write_list(list_file, library)
    print(f"{count} commands on the files of {library}", file=sys.stderr)
    code = sched_run(run, list_file, sys.argv[1:])
    print(next_words(run), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
