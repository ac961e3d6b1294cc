"""The blocks that the pages' own test does not execute, each with what does, or why nothing can.

All others are executed. A file that is named here has to exist, and one with tests to name the example.
`*` stands for all blocks of a page.
"""

from __future__ import annotations

__all__ = ["ELSEWHERE"]

ELSEWHERE: dict[str, dict[str, str]] = {
    "README.md": {
        "demo": "CI runs it in its own step, from another folder and with an empty home",
        "install": "it asks an index; CI installs the wheels from a folder instead",
    },
    "docs/index.md": {
        "install": "it asks an index; CI installs the wheels from a folder instead",
        "cluster": "tests-integration/slurm/test_start_page.py, on a real Slurm",
    },
    "docs/backends/clusters.md": {
        "chunks": "tests-integration/slurm/test_readme.py, on a real Slurm"
    },
    "docs/backends/containers.md": {
        "command_line": "tests-integration/containers/test_readme.py, by Podman",
        "container": "tests-integration/containers/test_readme.py, by Podman",
        "elsewhere": "a part of a program; the tests of clusters run jobs in containers of their own images",
        "elsewhere_command_line": "it wants two engines at once, each of which is tried beside its own tests",
        "refused": "tests-integration/containers/test_readme.py, by Podman",
    },
    "docs/backends/gbatch.md": {
        "allocation": "tests-integration/gbatch/test_readme.py, by the library's own types",
        "command_line": "tests-integration/gbatch/test_readme.py, on emulators",
        "gbatch": "tests-integration/gbatch/test_readme.py, on emulators",
        "refused": "tests-integration/gbatch/test_readme.py, on emulators",
        "runnables": "tests-integration/gbatch/test_readme.py, by the library's own types",
    },
    "docs/backends/sge.md": {
        "sge": "tests-integration/sge/test_readme.py, on a real Grid Engine",
        "sge_command_line": "tests-integration/sge/test_readme.py, on a real Grid Engine",
    },
    "docs/backends/slurm.md": {
        "command_line": "tests-integration/slurm/test_readme.py, on a real Slurm",
        "explain": "what a controller says of a job that waits is another thing each time",
        "refused": "tests-integration/slurm/test_readme.py, on a real Slurm",
        "resources": "tests-integration/slurm/test_readme.py, on a real Slurm",
        "slurm": "tests-integration/slurm/test_readme.py, on a real Slurm",
    },
    "docs/backends/ssh.md": {
        "apart": "tests-integration/ssh/test_readme.py, on hosts without a shared disk",
        "command_line": "tests-integration/ssh/test_readme.py, on hosts in namespaces",
        "inputs": "a line of a program; the same is done by the command line below it",
        "ssh": "tests-integration/ssh/test_readme.py, on hosts in namespaces",
    },
    "docs/benchmarks/index.md": {
        "*": "it measures for an hour, in a clone; CI runs the same program in small"
    },
    "docs/coming-from/gnu-parallel.md": {
        "hosts": "tests-integration/ssh/test_readme.py, on hosts without a shared disk"
    },
    "docs/coming-from/psij.md": {
        "slurm": "tests-integration/slurm/test_coming_from.py, on a real Slurm"
    },
    "docs/coming-from/submitit.md": {
        "slurm": "tests-integration/slurm/test_coming_from.py, on a real Slurm"
    },
    "docs/coming-from/xqute-pipen.md": {
        "pipen": "a part of a program; the tests of examples/pipen run such pipelines by the same adapter",
        "slurm": "tests-integration/slurm/test_coming_from.py, on a real Slurm",
    },
    "docs/simulator.md": {
        "*": "packages/sched-core/tests/simulation/test_document.py, as tests, which they are"
    },
    "packages/sched-meta/README.md": {
        "bucket": "it wants a project of Google's; tests-integration/gbatch types such commands on emulators",
        "install": "it asks an index; CI installs the wheels from a folder instead",
    },
    "docs/writing-a-backend.md": {
        "install": "it asks an index; CI installs the wheels from a folder instead",
        "editable": "it asks an index; CI installs a wheel of such a package instead (`run try-backend`)",
    },
}
