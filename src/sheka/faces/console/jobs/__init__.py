"""Jobs with their progress; those that failed, with what to do; cancel and run again."""
