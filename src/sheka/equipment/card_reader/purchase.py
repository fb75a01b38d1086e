"""A medical purchase between the card and the PSAM of a terminal, both in readers (H4, C2; card.md §6, notice 38)."""

from __future__ import annotations

from dataclasses import dataclass

from sheka.equipment.card_reader.psam import PsamSession
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_INITIALISED_BYTES = 2 + 1 + 1 + 4
_PROOF_BYTES = 4 + 4


@dataclass(frozen=True, slots=True)
class Purchased:
    """A finished purchase: what the terminal sends to the issuer."""

    settlement: Settlement
    card_sequence: bytes
    """2 bytes."""
    terminal_sequence: bytes
    """4 bytes."""
    random: bytes
    """4 bytes of the card, from which the session key of MAC1 comes."""
    key_version: int
    """Of the DPK behind MAC1."""
    tac_version: int
    """Of the DTK behind the TAC: the card's newest, whatever the PSAM's DPK is."""
    algorithm: Algorithm
    mac1: bytes
    """4 bytes, the PSAM's proof."""
    tac: bytes
    """4 bytes, checked by the issuer."""


def settle(
    card: CardSession, psam: PsamSession, amounts: tuple[int, int, int], time: bytes, *, region: str = ""
) -> Purchased:
    """Debit the card in one reader with the PSAM in the other.

    Parameters
    ----------
    card : with the PIN verified.
    amounts : three in fen, as in `Settlement`.
    time : YYYYMMDDhhmmss, 7 bytes BCD.
    region : six digits of the card's city; left out they are read from the card.

    The newest version of the session key that both hold is used: a PSAM that was not loaded anew after the card got new
    keys goes on with the version before.
    Raises Refused: CARD_ANSWERED (6982 without the PIN, 9302 the card found MAC1 wrong, 9403 it has no such version),
    those of `PsamSession.init_for_purchase` and `credit_for_purchase`. When the card was pulled out after the debit,
    ask it for `proof_of` the sequence once it is back: it is never debited twice for one sequence.
    """
    rule = card.profile.purchase
    wanted = rule.session_key
    information = psam.information()
    if not information.terminal:
        raise Refused(Code.PSAM_TERMINAL, serial=psam.serial, bound="-", asked="-")
    terminal = bytes.fromhex(information.terminal)
    place = region or card.region()
    card.select(rule.application)
    step = Term("消费初始化", "initialise the purchase")
    state = card.state()
    held_there = {key.version for key in information.keys if (key.name, key.algorithm) == (wanted, state.algorithm)}
    asked = max((one for one in held_there if one <= state.key_version), default=0)  # 0: the card's newest
    begun = _own(card, step, "initialise_purchase", bytes([asked]) + terminal, _INITIALISED_BYTES)
    sequence, version, algorithm, random = begun[:2], begun[2], Algorithm(begun[3]), begun[4:]
    held = psam.key(wanted, algorithm, version)
    settlement = Settlement(amounts, terminal, time)
    counter, mac1 = psam.init_for_purchase(
        settlement,
        random=random,
        sequence=sequence,
        version=version,
        algorithm=algorithm,
        factors=psam.factors(card, held.level, place),
    )
    proof = _own(card, Term("消费扣款", "debit"), "debit_purchase", counter + settlement.message() + mac1, _PROOF_BYTES)
    psam.credit_for_purchase(proof[:4])
    return Purchased(settlement, sequence, counter, random, version, state.key_version, algorithm, mac1, proof[4:])


def proof_of(card: CardSession, sequence: bytes) -> tuple[bytes, bytes]:
    """(MAC2 4, TAC 4) of the card's last purchase, by its sequence of 2 bytes; 9406 in CARD_ANSWERED for any other."""
    card.select(card.profile.purchase.application)
    proof = _own(card, Term("取交易证明", "ask for the proof"), "transaction_proof", sequence, _PROOF_BYTES)
    return proof[:4], proof[4:]


def _own(card: CardSession, step: Term, name: str, data: bytes, length: int) -> bytes:
    cla, ins = card.profile.instructions[name]
    answer = card.channel.must(step, Command(cla, ins, 0, 0, data, length))
    if len(answer) != length:
        raise Refused(Code.CARD_DATA_MALFORMED, file="-", reason=Term("应答长度错误", "length of the answer"))
    return answer
