"""sched-meta[all]: all schedulers are found by name, and loaded."""

import sys

from .commands import printed

NAMES = ["container", "gbatch", "local", "sge", "slurm", "ssh"]


if __name__ == "__main__":
    head, *rows = printed("schedulers").splitlines()
    assert head.split() == ["NAME", "CLASS", "PACKAGE", "STATE"], head
    assert [row.split()[0] for row in rows] == NAMES, rows
    assert all(row.endswith(" ok") for row in rows), rows
    line = ["--", "echo", "from {}", ":::", "all"]
    assert printed("run", "-w", sys.argv[1], "--cat", *line) == "from all\n"
    assert "sbatch " in printed("run", "--dry-run", "-s", "slurm", *line)
