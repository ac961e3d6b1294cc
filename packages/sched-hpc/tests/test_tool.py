from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from sched_core import EngineUnavailable
from sched_hpc.cluster.tool import Toolbox, clean_environment


def test_t14_a_job_s_variables_are_left_out_and_the_engine_s_place_is_kept() -> None:
    inside = {
        "SLURM_JOB_ID": "1", "SLURM_CONF": "/c", "SLURM_JWT": "t", "SBATCH_PARTITION": "p", "PMI_RANK": "0",
        "SGE_TASK_ID": "3", "SGE_ROOT": "/r", "JOB_ID": "9", "HOME": "/h", "SRUN_CPUS_PER_TASK": "2",
        "SQUEUE_FORMAT": "%i",
    }  # fmt: skip
    kept = {"SLURM_CONF": "/c", "SLURM_JWT": "t", "SGE_ROOT": "/r", "HOME": "/h"}
    assert clean_environment(inside) == kept


def test_a_user_s_wishes_count_outside_of_a_job() -> None:
    outside = {
        "SBATCH_ACCOUNT": "mine",
        "SLURM_CLUSTERS": "east",
        "SQUEUE_FORMAT": "%i",
        "JOB_ID": "x",
    }
    assert clean_environment(outside) == {
        "SBATCH_ACCOUNT": "mine", "SLURM_CLUSTERS": "east", "JOB_ID": "x",
    }  # fmt: skip


def box(patience: float = 90.0) -> Toolbox:
    return Toolbox({"python": sys.executable}, patience)


async def test_what_a_tool_prints_and_returns() -> None:
    tools = box()
    code = "import sys; d = sys.stdin.read(); print(len(d)); print('\\udcff', file=sys.stderr); sys.exit(3)"
    answer = await tools.run([sys.executable, "-X", "utf8", "-c", code], b"x" * 200_000)
    assert (answer.returncode, answer.stdout) == (3, "200000\n")
    assert tools.calls == {"python": 1}


async def test_bytes_that_are_no_text_are_no_trouble() -> None:
    code = "import os; os.write(1, b'7\\xff\\n')"
    assert (await box().run([sys.executable, "-c", code])).stdout == "7\ufffd\n"


async def test_t28_a_child_that_keeps_the_output_open_is_not_waited_for() -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid, flush=True)"
    answer = await box().run([sys.executable, "-c", code])
    os.kill(int(answer.stdout), signal.SIGKILL)  # it is there


async def test_a_tool_that_hangs_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        await box(0.3).run([sys.executable, "-c", "import time; time.sleep(60)"])


async def test_a_tool_that_is_not_there(tmp_path: Path) -> None:
    tools = Toolbox({"sbatch": str(tmp_path / "sbatch")}, 1)
    with pytest.raises(EngineUnavailable, match="sbatch="):
        tools.check("sbatch")
    with pytest.raises(EngineUnavailable, match="cannot be run"):
        await tools.run([tools["sbatch"]])
