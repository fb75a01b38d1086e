"""Looking into a file that a stranger may have made: in a child process with bounds; nothing is kept as it came."""
