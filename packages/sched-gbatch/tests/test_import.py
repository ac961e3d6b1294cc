from __future__ import annotations

import subprocess
import sys

from sched_core.testing.importing import side_effects

_LIBRARIES = "{'google', 'grpc', 'cloudpathlib'} & set(sys.modules)"


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_t44_the_package_alone_imports_nothing() -> None:
    assert (
        printed("import sys, sched_gbatch; print({'anyio', 'sched_core'} & set(sys.modules))")
        == "set()\n"
    )


def test_t44_the_libraries_of_google_are_loaded_on_first_use() -> None:
    code = (
        "import sys, sched_gbatch;"
        "made = sched_gbatch.GbatchScheduler('gs://b/run', project='p', location='us-central1',"
        " labels={'a': 'b'}, mount='DATA=gs://b/data');"
        "made.mount_volumes(); made.options(); made.session;"
        f"print({_LIBRARIES})"
    )
    assert printed(code) == "set()\n"


def test_t44_it_costs_little() -> None:
    code = (
        "import sys, sched_core; sched_core.Scheduler; sched_core.Runner; known = set(sys.modules);"
        "from sched_gbatch import GbatchScheduler;"
        "more = {name for name in set(sys.modules) - known if not name.startswith('sched_')};"
        "print(len(more))"
    )
    # Counted, not timed: a busy machine changes nothing about modules.
    assert int(printed(code)) < 12


def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_gbatch") == []
