"""sched-meta alone: jobs on this machine, and what is said of schedulers that are not installed."""

import json
import os
import sys
from functools import partial
from pathlib import Path

from sched_meta import get_scheduler, scheduler_names

from .commands import printed, refused
from .refusals import message_of

EXTRAS = {"container": "container", "gbatch": "gbatch", "sge": "hpc", "slurm": "hpc", "ssh": "ssh"}
HERE = ["--no-progress", "--", "echo", "from {}", ":::", "sched"]


def run_a_job(folder: str) -> None:
    assert printed("run", "-w", folder, "--cat", *HERE) == "from sched\n"
    assert scheduler_names() == ["local"]


def name_the_extra(name: str, extra: str) -> None:
    """Ask for a scheduler in each of the ways in which one is named."""
    install = f"to install it: pip install 'sched-meta[{extra}]'"
    before = sorted(os.listdir())
    for words in (["run", "-s", name], ["run", "--dry-run", "-s", name], ["doctor", name]):
        line = refused(*words, *(HERE if words[0] == "run" else ()))
        assert install in line, line
    assert sorted(os.listdir()) == before, "something was written"
    told = message_of(LookupError, partial(get_scheduler, name))
    assert told.endswith(install), told


def name_the_extra_in_settings(name: str, extra: str) -> None:
    settings = Path("sched.toml")
    settings.write_text(f'[profile.there]\nscheduler = "{name}"\n')
    line = refused("run", "--profile", "there", *HERE)
    assert f"sched.toml, line 2: there is no scheduler '{name}'" in line, line
    assert f"pip install 'sched-meta[{extra}]'" in line, line
    settings.unlink()


def take_up_a_run(name: str, extra: str) -> None:
    """Look at a run of a scheduler that is not installed, and fail to go on with it."""
    folder = f"of-{name}"
    assert (
        printed("run", "-w", folder, "--cat", "--", "sh", "-c", "echo no; exit 1", code=1) == "no\n"
    )
    run_file = Path(folder, ".sched", "run.json")
    record = json.loads(run_file.read_text())
    away = {"scheduler": name, "scheduler_class": f"sched_{extra}.scheduler:Scheduler"}
    run_file.write_text(json.dumps(record | away))
    assert f"({name}, " in printed("status", folder)
    assert printed("cat", folder) == "no\n"
    for command in ("resume", "retry", "clean"):
        line = refused(command, folder)
        assert f"is not installed: pip install 'sched-meta[{extra}]'" in line, line


if __name__ == "__main__":
    run_a_job(sys.argv[1])
    for name, extra in EXTRAS.items():
        name_the_extra(name, extra)
        name_the_extra_in_settings(name, extra)
        take_up_a_run(name, extra)
