"""The pages about encryption machines."""
