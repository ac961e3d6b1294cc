"""Pipeline frameworks whose jobs Slurm runs: the examples, which have an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .cluster import SlurmCluster

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.timeout(300)


def run(folder: Path, *argv: str) -> None:
    example = EXAMPLES / ("snakemake" if "snakemake" in argv else "pipen")
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(example)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_pipen(bare_slurm: SlurmCluster, tmp_path: Path) -> None:
    run(tmp_path, str(EXAMPLES / "pipen/pipeline.py"), "slurm", "partition=main")
    assert (tmp_path / "results/Sum/sum.txt").read_text() == "273\n"
    scripts = list((tmp_path / ".pipen/pipeline").glob("*/*/job.wrapped.slurm"))
    assert len(scripts) == 7


def test_snakemake(bare_slurm: SlurmCluster, tmp_path: Path) -> None:
    slurm = ["--sched-scheduler", "slurm", "--sched-options", "partition=main"]
    snakefile = str(EXAMPLES / "snakemake/Snakefile")
    options = ["--executor", "sched", "--jobs", "4", "--latency-wait", "60", *slurm]
    options += ["--default-resources", "mem_mb=500"]
    run(tmp_path, "-m", "snakemake", "--snakefile", snakefile, *options)
    assert (tmp_path / "total.txt").read_text() == "6\n"
    assert list((tmp_path / ".snakemake/sched").glob("*/0/job.wrapped.slurm"))
