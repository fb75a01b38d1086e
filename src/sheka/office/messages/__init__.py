"""Messages between organisations: outbox, inbox and their handlers (design §4)."""
