"""Run the chaos program: `python tools/chaos --minutes 5 --backend local`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from tools.chaos.app import main

    sys.exit(main())
