"""Run /bin/true many times by a peer: `python take.py MODULE.FUNCTION JOBS SLOTS FILE`, in the peers' venv.

How long it took, without imports, goes to FILE, with the CPU of this process, as JSON: some of them
print whatever they like.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path


def main() -> None:
    named, jobs, slots, file = sys.argv[1:]
    module, _, function = named.partition(".")
    # Some of them start programs of their own by name, which import what they are to run.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = sys.path[0]
    # What some of them leave there goes with the folder of the round.
    os.environ["TMPDIR"] = str(Path.cwd())
    seconds, cpu = getattr(importlib.import_module(module), function)(int(jobs), int(slots))
    Path(file).write_text(json.dumps({"seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
