"""Jobs with their progress, dead ones, cancel."""
