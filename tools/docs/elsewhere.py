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
    "docs/compared.md": {
        "*": "packages/sched-meta/tests/test_compared.py, with a thousand files for what each tool does"
    },
    "docs/simulator.md": {
        "*": "packages/sched-core/tests/simulation/test_document.py, as tests, which they are"
    },
}
