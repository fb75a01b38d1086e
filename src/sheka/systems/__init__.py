"""The ten systems of the mission (S1-S10), one Django app each."""
