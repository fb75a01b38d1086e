"""The medical purchase on the card: initialise, debit, prove (notice 38; card.md §6; C1, C2). Instruction bytes local.

The log record, the sequence number and the proof are one commit: after a power cut the purchase is whole or it never
was, and a terminal that lost the answer asks for the proof of its sequence number.
"""

from __future__ import annotations

from typing import cast

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.authentication import (
    SETTLEMENT,
    Settlement,
    purchase_mac1,
    purchase_mac2,
    purchase_session_key,
    tac,
)
from sheka.foundation.chip.chip import Chip, PurchaseSession
from sheka.foundation.chip.codec import decode_cyclic, encode_cyclic
from sheka.foundation.chip.declarations import PurchaseRule
from sheka.foundation.chip.files import CyclicFile
from sheka.foundation.refusals import Refused

INITIALISE_BYTES = 1 + 6
DEBIT_BYTES = 4 + 12 + 1 + 6 + 7 + 4
_SEQUENCE, _PROOF = "purchase/sequence", "purchase/proof"


def initialise_purchase(chip: Chip, command: Command) -> bytes:
    """8050 00 00: key version 1 (00 the newest) ‖ terminal 6 → sequence 2 ‖ key version 1 ‖ algorithm 1 ‖ random 4.

    6985 outside DF04 or with the sequence used up, 6982 without the PIN, 9403 a version that the card does not have.
    """
    rule = _rule(chip, command, INITIALISE_BYTES)
    if not chip.allows(rule.requires):
        raise Denied(StatusWord.NOT_AUTHORISED)
    versions = chip.key_versions(chip.profile.key(rule.session_key))
    version = command.data[0] or max(versions, default=0)
    if version not in versions:
        raise Denied(StatusWord.KEY_INDEX)
    sequence = int.from_bytes(chip.memory.get(_SEQUENCE) or b"\0\0", "big") + 1
    if sequence > 0xFFFF:
        raise Denied(StatusWord.CONDITIONS)
    session = PurchaseSession(version, sequence.to_bytes(2, "big"), chip.random(4), command.data[1:])
    chip.session.purchase = session
    return session.sequence + bytes((version, chip.algorithm)) + session.random


def debit_purchase(chip: Chip, command: Command) -> bytes:
    """8054 00 00: terminal sequence 4 ‖ amounts 3 × 4 ‖ type 1 ‖ terminal 6 ‖ time 7 ‖ MAC1 4 → MAC2 4 ‖ TAC 4.

    6985 not initialised, 6A80 another terminal, type or an impossible time, 9302 wrong MAC1. An amount of zero is a
    purchase like any other and is logged.
    """
    rule = _rule(chip, command, DEBIT_BYTES)
    session, chip.session.purchase = chip.session.purchase, None
    if session is None:
        raise Denied(StatusWord.CONDITIONS)
    terminal_sequence, settlement, mac1 = _read(command.data)
    if settlement.terminal != session.terminal or settlement.type != SETTLEMENT:
        raise Denied(StatusWord.WRONG_DATA)
    record = _log_record(chip, session.sequence, settlement)
    dpk, dtk = chip.profile.key(rule.session_key), chip.profile.key(rule.tac_key)
    chip.need_tries(dpk)
    sespk = purchase_session_key(
        chip.algorithm, chip.key_value(dpk, session.key_version), session.random, session.sequence, terminal_sequence
    )
    chip.check(dpk, purchase_mac1(chip.algorithm, sespk, settlement), mac1, mac=True)
    proof = purchase_mac2(chip.algorithm, sespk, settlement) + tac(
        chip.algorithm, chip.key_value(dtk), settlement, terminal_sequence
    )
    _log(chip).append(chip.memory, record)
    chip.memory.put(_SEQUENCE, session.sequence)
    chip.memory.put(_PROOF, session.sequence + proof)
    return proof


def transaction_proof(chip: Chip, command: Command) -> bytes:
    """805A 00 00: sequence 2 → MAC2 4 ‖ TAC 4 of the last purchase, for a terminal that lost the answer; else 9406."""
    _rule(chip, command, 2)
    stored = chip.memory.get(_PROOF)
    if stored is None or stored[:2] != command.data:
        raise Denied(StatusWord.PROOF_ABSENT)
    return stored[2:]


def _rule(chip: Chip, command: Command, length: int) -> PurchaseRule:
    rule = chip.profile.purchase
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    if chip.session.directory.name != rule.application:
        raise Denied(StatusWord.CONDITIONS)
    if len(command.data) != length:
        raise Denied(StatusWord.WRONG_LENGTH)
    return rule


def _read(data: bytes) -> tuple[bytes, Settlement, bytes]:
    first, second, third = (int.from_bytes(data[at : at + 4], "big") for at in (4, 8, 12))
    settlement = Settlement((first, second, third), terminal=data[17:23], time=data[23:30], type=data[16:17])
    return data[:4], settlement, data[30:]


def _log(chip: Chip) -> CyclicFile:
    """The log, which the profile's checks made sure is cyclic."""
    rule = chip.profile.purchase
    return cast(CyclicFile, chip.tree.by_name[rule.application].by_fid[bytes.fromhex(rule.log)])


def _log_record(chip: Chip, sequence: bytes, settlement: Settlement) -> bytes:
    """The record for the log, checked by the codec: 6A80 for a time or terminal that are no digits."""
    message = settlement.message()
    record = sequence + settlement.type + settlement.terminal + settlement.time + message[:12]
    log = _log(chip).declaration
    try:
        if encode_cyclic(log, decode_cyclic(log, record)) == record:
            return record
    except Refused:
        pass
    raise Denied(StatusWord.WRONG_DATA)
