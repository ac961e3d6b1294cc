"""Driving a run: from the options to the exit code, and what is said meanwhile."""
