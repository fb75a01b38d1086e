"""What every system leans on: organisations, staff, approvals, audit, messages."""
