"""Calendar, system health."""
