"""The block list as something that stands against a card (C1, S4)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.systems.cards.models import Card
from sheka.systems.cards.standing import tells_standing
from sheka.systems.keys.catalogue import entries
from sheka.systems.transactions.block_subjects import TITLES
from sheka.systems.transactions.models import BlockKind
from sheka.systems.transactions.queries_of_blocks import blocks_on_card


@tells_standing
def on_the_block_list(card: Card) -> Term | None:
    """The card, its range or a key version that it carries is barred."""
    versions = tuple(f"{entry.name}/{card.key_version}" for entry in entries())
    found = blocks_on_card(str(card.number), versions)
    if not found:
        return None
    kind = TITLES[BlockKind(found[0].kind)]
    return Term(f"在黑名单中：{kind.zh}", f"on the block list: {kind.en}")
