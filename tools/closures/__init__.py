"""What each package brings along when it is installed alone, and whether that works."""
