"""What is proved of card transactions when the books are proved (S6, S4): `sheka ledger verify`, and every night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sheka.foundation.terms import Term
from sheka.systems.accounts.proofs import Fault, proof
from sheka.systems.transactions.anchors import verify_anchors
from sheka.systems.transactions.archive import archived_file_faults
from sheka.systems.transactions.queries import verify_seals, verify_transactions


@proof(Term("卡交易与分录一致", "each card transaction"))
def card_transactions() -> Iterable[Fault]:
    return verify_transactions()


@proof(Term("已分离业务日的归档文件完好", "each file of a detached day"))
def archived_files() -> Iterator[Fault]:
    return archived_file_faults()


@proof(Term("交易批次封签", "each seal"))
def seals() -> Iterator[Fault]:
    """Every seal, and the anchors over them: the end of a stream cut off is seen by its anchor only."""
    for fault in verify_seals() + verify_anchors():
        yield Fault(f"seal:{fault.seal}", fault.fault)
