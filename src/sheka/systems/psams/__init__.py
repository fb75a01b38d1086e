"""K8: every PSAM from its order to its destruction."""
