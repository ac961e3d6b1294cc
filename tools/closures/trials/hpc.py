"""sched-hpc alone, without a cluster."""

import sys

from sched_hpc import SgeScheduler, SlurmScheduler

from .previews import previewed

if __name__ == "__main__":
    slurm = previewed(SlurmScheduler(sys.argv[1], partition="main", mem="4G"))
    assert "--partition=main --mem=4G" in slurm, slurm
    assert previewed(SgeScheduler(sys.argv[1], q="all.q")).startswith("qsub "), "no command line"
