"""Looking into a file that a stranger may have made: only in a child process with bounds, and nothing is kept as it came."""
