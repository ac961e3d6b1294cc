"""Pipeline frameworks are in an environment of their own: `python3 tools/dev.py run examples:test`."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [name for name in ("pipen", "snakemake") if find_spec(name) is None]
