"""What the examination says no with: the name of a refusal and its facts. Plain, so that the child needs no Django."""

from __future__ import annotations


class Unfit(Exception):
    """The file is refused. `code` is the name of a `Code`, `facts` are plain JSON."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
