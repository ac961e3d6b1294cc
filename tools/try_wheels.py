"""Install the wheels of `dist/` as a user would, each time in an empty environment, and run a job.

sched-local, sched-container and sched-gbatch have to work as libraries without sched-meta, and sched-meta has to
bring `sched`.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

DIST = Path(__file__).resolve().parent.parent / "dist"

LIBRARY_JOB = """
import importlib.util, sys
from pathlib import Path
from sched_core import run
from sched_local import LocalScheduler

[job] = run(LocalScheduler(workdir=sys.argv[1]), [["echo", "from the library"]])
assert job.status.name == "FINISHED" and job.rc == 0, job
assert Path(job.stdout_file).read_text() == "from the library\\n"
assert importlib.util.find_spec("sched_meta") is None, "sched-local pulls in sched-meta"
"""

CONTAINERS = """
import importlib.util, sys
from sched_container import ContainerScheduler

scheduler = ContainerScheduler(workdir=sys.argv[1], image="debian:12", bin="podman")
assert scheduler.container.engine == "podman"
assert "python_on_whales" not in sys.modules, "it is loaded before it is used"
for sibling in ("sched_local", "sched_meta"):
    assert importlib.util.find_spec(sibling) is None, f"sched-container pulls in {sibling}"
import python_on_whales
"""

GOOGLE_BATCH = """
import importlib.util, sys
from sched_gbatch import GbatchScheduler

scheduler = GbatchScheduler("gs://bucket/run", project="project", location="us-central1")
assert str(scheduler.mounted_workdir) == "/mnt/disks/run", scheduler.mounted_workdir
assert not any(name.startswith("google") for name in sys.modules), "it is loaded before it is used"
for sibling in ("sched_local", "sched_meta"):
    assert importlib.util.find_spec(sibling) is None, f"sched-gbatch pulls in {sibling}"
import google.cloud.batch_v1, google.cloud.storage, cloudpathlib
"""


def call(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def wheel(package: str) -> Path:
    [found] = DIST.glob(f"{package.replace('-', '_')}-*.whl")
    return found


def write_constraints(path: Path) -> None:
    """Siblings come from `dist/`, even where an index knows a package of that name."""
    wheels = sorted(DIST.glob("*.whl"))
    names = [file.name.partition("-")[0] for file in wheels]
    lines = [f"{name} @ {file.as_uri()}" for name, file in zip(names, wheels, strict=True)]
    path.write_text("\n".join(lines) + "\n")


def install(package: str, folder: Path, *siblings: str) -> Path:
    """Install a package and what it asks for; return the folder of the environment's programs.

    `siblings` are those that it asks for with extras, which constraints cannot name.
    """
    write_constraints(folder / "constraints.txt")
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check")
    wanted: tuple[str | Path, ...] = (wheel(package), *siblings)
    call(*pip, "install", "-qq", "--constraint", folder / "constraints.txt", *wanted)
    call(*pip, "check")
    return programs


def try_library(folder: Path) -> None:
    programs = install("sched-local", folder)
    call(programs / "python", "-c", LIBRARY_JOB, folder / "run")


def try_containers(folder: Path) -> None:
    programs = install("sched-container", folder)
    call(programs / "python", "-c", CONTAINERS, folder / "run")


def try_google_batch(folder: Path) -> None:
    core = f"sched-core[gs] @ {wheel('sched-core').as_uri()}"
    programs = install("sched-gbatch", folder, core)
    call(programs / "python", "-c", GOOGLE_BATCH)


def try_command_line(folder: Path) -> None:
    programs = install("sched-meta", folder)
    options = ("-w", folder / "run", "--cat")
    command = (programs / "sched", "run", *options, "--", "echo", "from {}", ":::", "sched")
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    assert printed == b"from sched\n", printed


def main() -> None:
    for attempt in (try_library, try_containers, try_google_batch, try_command_line):
        with tempfile.TemporaryDirectory() as folder:
            attempt(Path(folder))
        print(f"{attempt.__name__}: ok")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} ended with {error.returncode}, see above")
