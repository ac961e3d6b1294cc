"""Side by side: every peer that is installed, and ours, on each engine that they share."""
