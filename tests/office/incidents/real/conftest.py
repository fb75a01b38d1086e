"""Carriers of three levels, with the freezers that the systems declared."""

from tests.support.carriers import approved_order, at_province, handed, node, people

__all__ = ["approved_order", "at_province", "handed", "node", "people"]
