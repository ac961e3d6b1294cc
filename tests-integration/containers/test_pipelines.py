"""pipen's pipelines in containers: the example, which has an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .machines import Engine
from .test_outcomes import engine

__all__ = ["engine"]

EXAMPLE = Path(__file__).parents[2] / "examples/pipen"

PIPELINE = """
import sys, json
import sched_pipen
from pipen import Pipen, Proc
sched_pipen.use()

class First(Proc):
    input = "n:var"
    input_data = [2, 3]
    output = "squares:file:{{in.n}}.txt"
    script = "echo $(({{in.n}} * {{in.n}})) $PWD > {{out.squares}}"

options = json.loads(sys.argv[1])
sys.exit(not Pipen("p", outdir="results", scheduler="container", scheduler_opts=options,
                   plugins=[]).set_starts(First).run())
"""


@pytest.mark.timeout(300)
def test_results_of_jobs_in_containers_are_where_pipen_wants_them(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "p.py").write_text(PIPELINE)
    done = subprocess.run(
        [sys.executable, "p.py", json.dumps(engine.options)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    said = done.stdout + "".join(f.read_text() for f in tmp_path.glob(".pipen/p/First/0/job.*e*"))
    assert done.returncode == 0, said
    squares = [(tmp_path / f"results/First/{n}/{n + 2}.txt").read_text() for n in range(2)]
    assert [text.split()[0] for text in squares] == ["4", "9"]
