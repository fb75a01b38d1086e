"""The verbs of ceremonies: ask for one, plan it, take a step, abort it, let it lapse, issue its minutes."""
