"""The verbs of operation: propose, decide and withdraw a holiday notice."""
