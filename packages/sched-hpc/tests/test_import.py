from __future__ import annotations

import subprocess
import sys

import pytest

import sched_hpc
from sched_core.testing.importing import side_effects


@pytest.mark.witness("slurm", "sge", kind="unit")
def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_hpc") == []


@pytest.mark.witness("slurm", "sge", kind="unit")
def test_t44_the_package_alone_imports_nothing() -> None:
    code = "import sys, sched_hpc; print({'anyio', 'sched_core'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.witness("slurm", "sge", kind="unit")
def test_t44_each_scheduler_is_loaded_on_first_use() -> None:
    code = "import sys, sched_hpc; sched_hpc.SlurmScheduler; print('sched_hpc.sge' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    with pytest.raises(AttributeError, match="no attribute 'PbsScheduler'"):
        _ = sched_hpc.PbsScheduler
