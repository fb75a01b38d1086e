"""What the reader's own: devices, sessions, sign-in history, password."""
