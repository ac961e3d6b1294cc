"""The model: what a job is. No input or output but through a job's own files."""
