"""The verbs of clearing management (S8): windows, files, reconciliation, net."""
