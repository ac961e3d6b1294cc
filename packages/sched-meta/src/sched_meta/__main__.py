"""`python -m sched_meta` is `sched`."""

import sys

from .cli import main

sys.exit(main())
