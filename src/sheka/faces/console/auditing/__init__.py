"""The audit explorer."""
