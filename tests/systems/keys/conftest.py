"""Three real encryption machines of their own for each test, at the addresses of a node made for it."""

from tests.support.keys import machines, wanted, world
from tests.support.organisations import appoint, installer, tree

__all__ = ["appoint", "installer", "machines", "tree", "wanted", "world"]
