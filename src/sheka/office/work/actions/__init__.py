"""The verbs of the queue: take, give back, assign, put off. Opening and closing are the systems' (`work.items`)."""
