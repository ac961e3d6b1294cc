"""Reading a run, whether it is driven or not: its jobs, their files, its failures."""
