"""The verbs of approvals: propose, decide, carry out. Systems call them from their own actions, in one transaction."""
