"""The verbs of incidents: report, handle, decide, demand, close, plan, drill."""
