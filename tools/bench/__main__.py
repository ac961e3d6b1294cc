"""Run the benchmark: `python tools/bench --smoke`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from bench.app import main

    sys.exit(main())
