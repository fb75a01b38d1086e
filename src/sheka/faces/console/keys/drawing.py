"""The tree of a key as a picture: where each box stands, and the lines between them; the template draws it (K1, K2).

From left to right: ministry, province, city, cards. One row for each leaf, a parent beside the middle of its children.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext, pgettext

from sheka.faces.console.words import language
from sheka.systems.keys.labels import CONSIGNMENT_STATES, CONSIGNMENT_TONES, KEY_STATES, KEY_TONES, LEVELS
from sheka.systems.keys.tree import Node

BOX_WIDTH, BOX_HEIGHT, COLUMN, ROW, MARGIN = 196, 76, 248, 96, 8
COLUMNS = ("ministry", "province", "city", "card")


@dataclass(frozen=True, slots=True)
class Box:
    """A node where it stands: texts, tone of its edge, and the line that comes from its parent."""

    x: int
    y: int
    level: str
    name: str
    check_value: str
    word: str
    tone: str
    own: bool
    line: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """`boxes` in reading order; `width` and `height` in units of the picture."""

    boxes: list[Box]
    width: int
    height: int


def drawn(root: Node) -> Drawing:
    """The whole tree."""
    boxes: list[Box] = []
    rows = _place(root, 0, None, boxes)
    columns = [column(node) for node in root.walk()]
    width = max(columns) * COLUMN + BOX_WIDTH + 2 * MARGIN
    return Drawing(boxes, width, rows * ROW - (ROW - BOX_HEIGHT) + 2 * MARGIN)


def column(node: Node) -> int:
    """Which column a node stands in."""
    return COLUMNS.index(node.level)


def told(node: Node) -> tuple[str, str, str]:
    """(name, what is said of it, tone)."""
    if node.level == "card":
        text = ngettext("%(n)s card in use", "%(n)s cards in use", node.cards) % {"n": f"{node.cards:,}"}
        return pgettext("key tree", "Cards"), text, "still"
    name = node.place.label(language()) if node.place else ""
    if not node.state:
        return name, pgettext("key tree", "told with the key"), "still"
    words, tones = (CONSIGNMENT_STATES, CONSIGNMENT_TONES) if node.sent else (KEY_STATES, KEY_TONES)
    return name, words[node.state].text(language()), tones[node.state]


def _place(node: Node, row: int, parent: tuple[int, int] | None, boxes: list[Box]) -> int:
    """Put a node and all below it into `boxes`, from this row on; the number of rows that they take."""
    x, rows = MARGIN + column(node) * COLUMN, 0
    y = MARGIN + row * ROW + (_leaves(node) - 1) * ROW // 2
    boxes.append(_box(node, x, y, parent))
    for child in node.children:
        rows += _place(child, row + rows, (x + BOX_WIDTH, y + BOX_HEIGHT // 2), boxes)
    if node.more:
        rows += 1
        text = gettext("and %(n)s more") % {"n": node.more}
        boxes.append(Box(x + COLUMN, MARGIN + (row + rows - 1) * ROW, "", text, "", "", "still", own=False))
    return max(rows, 1)


def _leaves(node: Node) -> int:
    """How many rows a node and all below it take."""
    return max(1, sum(map(_leaves, node.children)) + bool(node.more))


def _box(node: Node, x: int, y: int, parent: tuple[int, int] | None) -> Box:
    name, word, tone = told(node)
    line = ""
    if parent is not None:
        middle, half = y + BOX_HEIGHT // 2, (parent[0] + x) // 2
        line = f"M{parent[0]} {parent[1]}C{half} {parent[1]} {half} {middle} {x} {middle}"
    return Box(x, y, LEVELS[node.level].text(language()), name, node.check_value, word, tone, node.own, line)
