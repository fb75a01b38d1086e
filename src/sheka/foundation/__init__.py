"""Pure Python that every room stands on: no Django, no I/O of services, imports nothing of ours."""
