"""What `sched.toml` says: defaults of the command line, and profiles."""
