"""The verbs of jobs: start, cancel, run again."""
