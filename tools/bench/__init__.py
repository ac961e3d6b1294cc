"""The benchmark: `python tools/bench`, or `python3 tools/dev.py run bench` in a fresh clone."""
