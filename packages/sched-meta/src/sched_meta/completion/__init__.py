"""What a shell completes: the words that may stand at a place of `sched`'s command line."""
