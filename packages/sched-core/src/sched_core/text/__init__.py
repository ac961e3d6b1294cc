"""Text, and nothing but text: what is written into a run's folder and read from it."""
