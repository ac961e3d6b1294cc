"""What was typed or listed, turned into jobs. Pure, but for files that are read."""
