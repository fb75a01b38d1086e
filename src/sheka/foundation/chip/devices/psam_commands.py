"""The commands of the PSAM (JR/T 0025 and card.md §6; what is local stands in the profile)."""

from __future__ import annotations

import hmac

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Denied, StatusWord, exact_length, tries_left
from sheka.foundation.chip.authentication import (
    MAC_BYTES,
    SETTLEMENT,
    WRAPPED_KEY_BYTES,
    Settlement,
    external_cryptogram,
    internal_response,
    purchase_mac1,
    purchase_session_key,
    session_mac,
    unwrap_key_in_chip,
)
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.chip.devices.profile import FACTOR_BYTES, Level, Mode
from sheka.foundation.chip.devices.psam_state import VERSIONS, Psam, Purchase, Slot
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.ciphers import encrypt_ecb
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac

TERMINAL_BYTES = 6
INIT_BYTES = 4 + 2 + 12 + 1 + 7 + 1 + 1
CHECK_VALUE_BYTES = 4
_WITH_SFI = 0x80
_LAST_SEQUENCE = 0xFFFFFFFF
_EXTERNAL = frozenset({Purpose.READ, Purpose.UPDATE, Purpose.UNBLOCK, Purpose.LOCK_CARD, Purpose.LOCK_APPLICATION})
_ALLOWED = {
    Mode.EXTERNAL: _EXTERNAL,
    Mode.MAC: frozenset({Purpose.UPDATE, Purpose.MAC}),
    Mode.ENCRYPT: frozenset({Purpose.UNBLOCK}),
    Mode.CHECK_INTERNAL: frozenset({Purpose.INTERNAL}),
}
"""Which purposes a mode of CIPHER DATA serves."""

# what it says about itself


def read_binary(psam: Psam, command: Command) -> bytes:
    """00B0 8s 00: the serial (SFI 15, 10 bytes) or the terminal number (SFI 16, 6 bytes; FF while it has none)."""
    files = {psam.profile.serial_file: psam.serial, psam.profile.terminal_file: psam.terminal or b"\xff" * 6}
    content = files.get(command.p1 ^ _WITH_SFI)
    if content is None:
        raise Denied(StatusWord.FILE_NOT_FOUND)
    if command.p2 >= len(content):
        raise Denied(StatusWord.WRONG_OFFSET)
    rest = content[command.p2 :]
    if command.le is not None and len(rest) < command.le < SHORT_ANSWER:
        raise Denied(exact_length(len(rest)))
    return rest[: command.le]


def get_data(psam: Psam, command: Command) -> bytes:
    """80CA: state, or the list of the keys with their check values (profile `data_objects`). 6A88 for anything else."""
    wanted, objects = command.p1 << 8 | command.p2, psam.profile.data_objects
    slots = psam.slots()
    if wanted == objects["state"]:
        return bytes((1 if psam.terminal else 0,)) + psam.memory.need("sequence") + bytes((len(slots),))
    if wanted == objects["keys"]:
        return b"".join(_entry(psam, slot) for slot in slots)
    raise Denied(StatusWord.DATA_NOT_FOUND)


def _entry(psam: Psam, slot: Slot) -> bytes:
    head = (slot.declared.key_id, slot.version, slot.algorithm, psam.level(slot), psam.tries_left(slot))
    return bytes(head) + check_value(slot.algorithm, psam.value(slot)).ljust(CHECK_VALUE_BYTES, b"\0")


# loading


def external_authenticate(psam: Psam, command: Command) -> bytes:
    """0082 00 id: cryptogram 8 ‖ source 8 under a transport key: opens the loading session of its algorithm.

    63Cx wrong, x tries left; 6983 locked; 6984 no challenge; 6A88 no transport key of that id.
    """
    if len(command.data) != 16:
        raise Denied(StatusWord.WRONG_LENGTH)
    found = [algorithm for algorithm, key_id in psam.profile.transport.items() if key_id == command.p2]
    if command.p1 or not found:
        raise Denied(StatusWord.DATA_NOT_FOUND)
    algorithm, limit = found[0], psam.profile.transport_retry_limit
    _need_transport_tries(psam, algorithm)
    challenge = psam.take_challenge(8)
    psam.session.loading = b""
    expected = external_cryptogram(algorithm, _transport_key(psam, algorithm), challenge, command.data[8:])
    right = hmac.compare_digest(expected, command.data[:8])
    left = psam.count(_transport(algorithm), limit, right=right)
    if not right:
        raise Denied(tries_left(left))
    psam.session.loading, psam.session.loading_algorithm = challenge, algorithm
    return b""


def write_key(psam: Psam, command: Command) -> bytes:
    """80D4 00 00: data of `authentication.wrap_key_for_chip` with the level in the high nibble of the version.

    6982 outside a loading session, 9302 wrong MAC (costs a try of KT), 6A88 a key that a PSAM does not hold, 6A80 no
    level or version.
    """
    algorithm = _need_loading(psam, command)
    if len(command.data) != WRAPPED_KEY_BYTES:
        raise Denied(StatusWord.WRONG_LENGTH)
    _need_transport_tries(psam, algorithm)
    found = unwrap_key_in_chip(algorithm, _transport_key(psam, algorithm), psam.session.loading, command.data)
    psam.count(_transport(algorithm), psam.profile.transport_retry_limit, right=found is not None)
    if found is None:
        raise Denied(StatusWord.MAC_WRONG)
    key_id, version, value = found
    level, version = version >> 4, version & 0x0F
    declared = psam.profile.keys.get(key_id)
    if declared is None:
        raise Denied(StatusWord.DATA_NOT_FOUND)
    if level not in tuple(Level) or version not in VERSIONS:
        raise Denied(StatusWord.WRONG_DATA)
    psam.put_key(Slot(declared, version, algorithm), Level(level), value)
    return b""


def remove_key(psam: Psam, command: Command) -> bytes:
    """80DE 00 00: id 1 ‖ version 1: a key of the session's algorithm is gone. 6A88 when it was not there."""
    algorithm = _need_loading(psam, command)
    if len(command.data) != 2:
        raise Denied(StatusWord.WRONG_LENGTH)
    if command.data[1] not in VERSIONS:
        raise Denied(StatusWord.DATA_NOT_FOUND)
    psam.memory.put(psam.slot(command.data[0], command.data[1], algorithm).name, None)
    return b""


def set_terminal(psam: Psam, command: Command) -> bytes:
    """80D8 00 00: the number of the terminal that the PSAM serves, 6 bytes BCD (6A80 otherwise)."""
    _need_loading(psam, command)
    if len(command.data) != TERMINAL_BYTES:
        raise Denied(StatusWord.WRONG_LENGTH)
    if not command.data.hex().isdigit():
        raise Denied(StatusWord.WRONG_DATA)
    psam.memory.put("terminal", command.data)
    return b""


def erase(psam: Psam, command: Command) -> bytes:
    """80E4 00 00: all keys and the terminal number are gone; serial, transport keys and counter stay (K8, return)."""
    _need_loading(psam, command)
    if command.data:
        raise Denied(StatusWord.WRONG_LENGTH)
    for slot in psam.slots():
        psam.memory.put(slot.name, None)
        psam.memory.put(f"tries/{slot.counter}", None)
    psam.memory.put("terminal", None)
    psam.session.delivered = psam.session.purchase = None
    return b""


# work


def delivery_key(psam: Psam, command: Command) -> bytes:
    """801A id, algorithm << 4 | version (0 the newest): factors in, the work key stays inside for one CIPHER DATA.

    6A88 no such key, 6A80 not exactly as many factors as its level needs, 9303 locked.
    """
    psam.session.delivered = None
    slot = psam.slot(command.p1, command.p2 & 0x0F, command.p2 >> 4)
    _need_tries(psam, slot)
    psam.session.delivered = (slot, psam.derived(slot, command.data))
    return b""


def cipher_data(psam: Psam, command: Command) -> bytes:
    """80FA mode 00: use the delivered key once. 6985: none delivered, or its purpose is another; 6A86: no such mode.

    encrypt: whole blocks → ECB · mac: IV, one block ‖ message → MAC 4 · external: challenge 8 ‖ source 8 → cryptogram 8
    · check_internal: process factor 8 ‖ source 8 ‖ answer 8 → 9000 right, 6300 wrong.
    """
    delivered, psam.session.delivered = psam.session.delivered, None
    mode = psam.profile.modes.get(command.p1)
    if mode is None or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    if delivered is None or delivered[0].declared.purpose not in _ALLOWED[mode]:
        raise Denied(StatusWord.CONDITIONS)
    slot, key = delivered
    data, block = command.data, block_bytes(slot.algorithm)
    if mode is Mode.EXTERNAL:
        _need_bytes(data, 16)
        return external_cryptogram(slot.algorithm, key, data[:8], data[8:])
    if mode is Mode.CHECK_INTERNAL:
        _need_bytes(data, 24)
        if not hmac.compare_digest(internal_response(slot.algorithm, key, data[:8], data[8:16]), data[16:]):
            raise Denied(StatusWord.AUTHENTICATION_FAILED)
        return b""
    if mode is Mode.MAC:
        if len(data) < block:
            raise Denied(StatusWord.WRONG_LENGTH)
        return command_mac(slot.algorithm, key, data[block:], data[:block])
    if not data or len(data) % block:
        raise Denied(StatusWord.WRONG_LENGTH)
    return encrypt_ecb(slot.algorithm, key, data)


def init_sam_for_purchase(psam: Psam, command: Command) -> bytes:
    """8070 00 00: begin a medical purchase: terminal transaction counter 4 ‖ MAC1 4.

    Data: card random 4 ‖ card sequence 2 ‖ amounts 3 × 4 ‖ type 1 ‖ time 7 ‖ key version 1 ‖ algorithm 1 ‖ factors. The
    counter is kept before MAC1 leaves. 6985 without a terminal number or with the counter used up, 6A80 another type,
    no time, or not as many factors as the key's level needs, 9403 a version that the PSAM does not have, 9303 locked.
    """
    psam.session.purchase = None
    data = command.data
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    if len(data) < INIT_BYTES or (len(data) - INIT_BYTES) % FACTOR_BYTES:
        raise Denied(StatusWord.WRONG_LENGTH)
    terminal, sequence = psam.terminal, psam.sequence + 1
    if terminal is None or sequence > _LAST_SEQUENCE:
        raise Denied(StatusWord.CONDITIONS)
    slot = _purchase_slot(psam, data[26], data[27])
    _need_tries(psam, slot)
    if data[18:19] != SETTLEMENT or not data[19:26].hex().isdigit():
        raise Denied(StatusWord.WRONG_DATA)
    counter = sequence.to_bytes(4, "big")
    key = psam.derived(slot, data[INIT_BYTES:])
    session_key = purchase_session_key(slot.algorithm, key, data[:4], data[4:6], counter)
    first, second, third = (int.from_bytes(data[at : at + 4], "big") for at in (6, 10, 14))
    mac1 = purchase_mac1(slot.algorithm, session_key, Settlement((first, second, third), terminal, data[19:26]))
    psam.session.purchase = Purchase(slot, session_key, data[6:18])
    psam.memory.put("sequence", counter)
    return counter + mac1


def credit_sam_for_purchase(psam: Psam, command: Command) -> bytes:
    """8072 00 00: MAC2 4, the card's proof that it debited. 6985 nothing begun; 9302 wrong, 9303 wrong too often."""
    purchase, psam.session.purchase = psam.session.purchase, None
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    if purchase is None:
        raise Denied(StatusWord.CONDITIONS)
    _need_bytes(command.data, MAC_BYTES)
    slot = purchase.slot
    _need_tries(psam, slot)
    right = hmac.compare_digest(session_mac(slot.algorithm, purchase.session_key, purchase.amounts), command.data)
    left = psam.count(slot.counter, psam.profile.retry_limit, right=right)
    if not right:
        raise Denied(StatusWord.MAC_WRONG if left else StatusWord.LOCKED_FOR_GOOD)
    return b""


def _purchase_slot(psam: Psam, version: int, algorithm: int) -> Slot:
    try:
        return psam.slot(psam.profile.purchase.key_id, version, algorithm)
    except Denied:
        raise Denied(StatusWord.KEY_INDEX) from None


def _need_tries(psam: Psam, slot: Slot) -> None:
    if not psam.tries_left(slot):
        raise Denied(StatusWord.LOCKED_FOR_GOOD)


def _need_loading(psam: Psam, command: Command) -> Algorithm:
    """The algorithm of the loading session: 6982 outside one, 6A86 for other P1 P2 than 00 00."""
    if not psam.session.loading:
        raise Denied(StatusWord.NOT_AUTHORISED)
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    return psam.session.loading_algorithm


def _need_bytes(data: bytes, length: int) -> None:
    if len(data) != length:
        raise Denied(StatusWord.WRONG_LENGTH)


def _need_transport_tries(psam: Psam, algorithm: Algorithm) -> None:
    if not psam.tries(_transport(algorithm), psam.profile.transport_retry_limit):
        raise Denied(StatusWord.LOCKED)


def _transport(algorithm: Algorithm) -> str:
    return f"transport/{algorithm:d}"


def _transport_key(psam: Psam, algorithm: Algorithm) -> bytes:
    return psam.memory.need(_transport(algorithm))
