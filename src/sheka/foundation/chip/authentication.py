"""The formulae that a card and its verifier both compute (card.md §6; C1: a counterfeit is detected).

One place for both sides: the virtual card answers with these functions and the encryption machine or a PSAM checks with
the same ones. 3DES follows the public formulae; where an SM4 card has no public formula the local analogue stands here:

=====================  =============================================  ==========================================
what                   3DES (algorithm id 01)                         SM4 (algorithm id 03), local
=====================  =============================================  ==========================================
session key            3DES-E(K, input 8): 8 bytes                    SM4-E(K, input ‖ ¬input): 16 bytes
answer to a source     DES-E(session key, source 8)                   leftmost 8 of SM4-E(session key, source ‖ ¬source)
MAC, 4 bytes           ISO 9797-1 algorithm 3, padding 2              CBC-MAC, padding 2
TAC key                left half of DTK ⊕ right half                  DTK
=====================  =============================================  ==========================================

Every length that is not as stated is refused with CHIP_FORMULA_INPUT: nothing is cut or filled up here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sheka.foundation.crypto import ciphers, sm4, tdes
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.diversify import session_key
from sheka.foundation.crypto.mac import command_mac, same
from sheka.foundation.refusals import Code, Refused

MAC_BYTES = 4
SETTLEMENT = b"2"
"""Type of a medical settlement in the MAC and in the log: '2', byte 32 (notice 38)."""
WRAPPED_KEY_BYTES = 3 + KEY_BYTES + MAC_BYTES


def internal_response(algorithm: Algorithm, irk16: bytes, factor8: bytes, source8: bytes) -> bytes:
    """What a genuine card answers to INTERNAL AUTHENTICATE.

    Parameters
    ----------
    irk16 : the *card's* internal authentication key: the IRK diversified down to the card. A verifier that holds the
        key of a higher level derives it with the missing region factors and the card factor (last 8 historical bytes).
    factor8 : the process factor that the verifier chose, first half of the command data.
    source8 : the data to authenticate, second half of the command data.

    Returns
    -------
    8 bytes: DES(3DES(IRK, factor), source); SM4 cards: the analogue in the head of this module.
    """
    _exactly(source8, 8, "source")
    return _answer(algorithm, session_key(algorithm, irk16, factor8), source8)


def external_cryptogram(algorithm: Algorithm, key16: bytes, challenge8: bytes, source8: bytes | None = None) -> bytes:
    """What proves to the card that the terminal holds `key16` (card level): DES(3DES(K, challenge), source), 8 bytes.

    The source is the terminal's choice and travels beside the cryptogram; left out it is the challenge itself (local).
    """
    source = challenge8 if source8 is None else source8
    _exactly(source, 8, "source")
    return _answer(algorithm, session_key(algorithm, key16, challenge8), source)


def external_data(cryptogram8: bytes, source8: bytes) -> bytes:
    """The 16 data bytes of EXTERNAL AUTHENTICATE: cryptogram 8 ‖ source 8 (the challenge, if no source was chosen)."""
    _exactly(cryptogram8, 8, "cryptogram")
    _exactly(source8, 8, "source")
    return cryptogram8 + source8


def session_mac(algorithm: Algorithm, session: bytes, message: bytes) -> bytes:
    """The 4-byte MAC under a session key. With the 8-byte key of a 3DES card algorithm 3 is the single-DES CBC-MAC."""
    return command_mac(algorithm, session if len(session) == KEY_BYTES else session * 2, message)


def initial_value(algorithm: Algorithm, challenge: bytes) -> bytes:
    """The IV of a command MAC: the challenge followed by zero bytes, one cipher block (card.md §6)."""
    block = block_bytes(algorithm)
    if len(challenge) > block:
        raise Refused(Code.CHIP_FORMULA_INPUT, what="challenge", expected=block, got=len(challenge))
    return challenge.ljust(block, b"\0")


def card_authentication_code(algorithm: Algorithm, irk16: bytes, first12: bytes) -> bytes:
    """The last 4 bytes of the card identification code: a MAC over its first 12 under the card's IRK (card.md §4)."""
    _exactly(irk16, KEY_BYTES, "key")
    _exactly(first12, 12, "first12")
    return command_mac(algorithm, irk16, first12)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a medical settlement signs: three amounts in fen, the terminal and the time (notice 38; card.md §6).

    Offline: personal account, own payment, pooled fund. Online: 0, total, personal account + pooled fund.
    """

    amounts: tuple[int, int, int]
    terminal: bytes
    """Terminal number, 6 bytes BCD."""
    time: bytes
    """YYYYMMDDhhmmss, 7 bytes BCD."""
    type: bytes = SETTLEMENT

    def message(self) -> bytes:
        """Amounts 3 × 4 ‖ type 1 ‖ terminal 6 ‖ time 7: 26 bytes."""
        _exactly(self.terminal, 6, "terminal")
        _exactly(self.time, 7, "time")
        _exactly(self.type, 1, "type")
        return amounts_bytes(self.amounts) + self.type + self.terminal + self.time


def amounts_bytes(amounts: tuple[int, int, int]) -> bytes:
    """Three amounts in fen, 4 bytes each, high byte first. An amount below 0 or above FFFFFFFF is refused."""
    for amount in amounts:
        if not 0 <= amount <= 0xFFFFFFFF:
            raise Refused(Code.CHIP_AMOUNT_RANGE, got=amount)
    return b"".join(amount.to_bytes(4, "big") for amount in amounts)


def purchase_session_key(
    algorithm: Algorithm, dpk16: bytes, random4: bytes, sequence2: bytes, terminal_sequence4: bytes
) -> bytes:
    """SESPK = 3DES(DPK, random 4 ‖ card sequence 2 ‖ low 2 bytes of the terminal sequence) (notice 38)."""
    _exactly(random4, 4, "random")
    _exactly(sequence2, 2, "sequence")
    _exactly(terminal_sequence4, 4, "terminal sequence")
    return session_key(algorithm, dpk16, random4 + sequence2 + terminal_sequence4[2:])


def purchase_mac1(algorithm: Algorithm, sespk: bytes, settlement: Settlement) -> bytes:
    """MAC1, the terminal's proof: over amounts ‖ type ‖ terminal ‖ time under SESPK, 4 bytes."""
    return session_mac(algorithm, sespk, settlement.message())


def purchase_mac2(algorithm: Algorithm, sespk: bytes, settlement: Settlement) -> bytes:
    """MAC2, the card's proof that it debited: over the three amounts under SESPK, 4 bytes."""
    return session_mac(algorithm, sespk, amounts_bytes(settlement.amounts))


def tac(algorithm: Algorithm, dtk16: bytes, settlement: Settlement, terminal_sequence4: bytes) -> bytes:
    """The transaction authentication code, checked by the issuer, 4 bytes.

    MAC over amounts ‖ type ‖ terminal ‖ terminal sequence 4 ‖ time under DTK left ⊕ right (SM4 cards: DTK).
    """
    _exactly(dtk16, KEY_BYTES, "key")
    _exactly(terminal_sequence4, 4, "terminal sequence")
    message = settlement.message()
    signed = message[:19] + terminal_sequence4 + message[19:]
    if algorithm is Algorithm.TDES:
        return session_mac(algorithm, bytes(a ^ b for a, b in zip(dtk16[:8], dtk16[8:], strict=True)), signed)
    return session_mac(algorithm, dtk16, signed)


def wrap_key_for_chip(
    algorithm: Algorithm, kt16: bytes, challenge: bytes, key_id: int, version: int, key16: bytes
) -> bytes:
    """The data of WRITE KEY: id 1 ‖ version 1 ‖ algorithm 1 ‖ ECB(KT, key) 16 ‖ MAC 4, 23 bytes (local).

    Parameters
    ----------
    kt16 : the chip's transport key.
    challenge : the 8 bytes of the GET CHALLENGE that opened the personalisation session by EXTERNAL AUTHENTICATE; the
        MAC's IV begins with it, so that a recorded WRITE KEY is worth nothing in another session. One challenge serves
        all keys of the session.
    key_id, version : where the key goes (id from the profile, version 1 to 3).
    key16 : the key of the card, 16 bytes.
    """
    _exactly(kt16, KEY_BYTES, "transport key")
    _exactly(key16, KEY_BYTES, "key")
    _exactly(challenge, 8, "challenge")
    head = bytes((key_id, version, algorithm)) + ciphers.encrypt_ecb(algorithm, kt16, key16)
    return head + command_mac(algorithm, kt16, head, initial_value(algorithm, challenge))


def unwrap_key_in_chip(
    algorithm: Algorithm, kt16: bytes, challenge: bytes, data: bytes
) -> tuple[int, int, bytes] | None:
    """The chip's side of `wrap_key_for_chip`: (id, version, key), or None when length, algorithm or MAC is wrong."""
    if len(data) != WRAPPED_KEY_BYTES or len(challenge) != 8 or data[2] != algorithm:
        return None
    head, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
    if not same(command_mac(algorithm, kt16, head, initial_value(algorithm, challenge)), mac):
        return None
    return data[0], data[1], ciphers.decrypt_ecb(algorithm, kt16, head[3:])


def _answer(algorithm: Algorithm, session: bytes, source8: bytes) -> bytes:
    if algorithm is Algorithm.TDES:
        return tdes.des_encrypt(session, source8)
    return sm4.encrypt_ecb(session, source8 + bytes(byte ^ 0xFF for byte in source8))[:8]


def _exactly(value: bytes, length: int, what: str) -> None:
    if len(value) != length:
        raise Refused(Code.CHIP_FORMULA_INPUT, what=what, expected=length, got=len(value))
