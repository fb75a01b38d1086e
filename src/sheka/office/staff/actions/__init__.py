"""The verbs on staff: people, their roles, their accounts; and each person's own account."""
