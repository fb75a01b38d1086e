"""The card in a reader, proved with the keys of its city: genuine, and the one that the records mean (C1)."""

from __future__ import annotations

import hmac

from sheka.equipment.card_reader.counterfeit import ExpectedCode, Genuine, authenticate_card
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.systems.cards.models import Card
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import key_named

AUTHENTICATION_KEY = "IRK"
CODE_BYTES = 4
_OTHER_CODE = Term("卡的识别码与发卡记录不一致", "its identification code is not the one that was issued")


def prove_genuine(session: CardSession, card: Card) -> Genuine:
    """The card in an open session is `card`, made with the keys of its city.

    Raises Refused: CARD_OTHER_IN_READER, CARD_COUNTERFEIT with the test that failed, CARD_NOT_GENUINE when the chip
    passes but holds another identification code than the one issued; refusals of reader and machine as they are.
    """
    key = key_named(card.organisation_id, AUTHENTICATION_KEY, Algorithm(card.algorithm), card.key_version)
    machine = machine_of(card.organisation_id)
    session.select_sse()
    must_be(session, card)
    genuine = authenticate_card(
        session,
        lambda factor, source: machine.internal_authentication(key.reference, [factor], [source])[0],
        _code_of(card),
        version=card.key_version,
    )
    issued = bytes.fromhex(card.identification_code or "")
    if not hmac.compare_digest(genuine.identity.identification_code.bytes, issued):
        raise Refused(Code.CARD_NOT_GENUINE, card=card, detail=_OTHER_CODE)
    return genuine


def _code_of(card: Card) -> ExpectedCode | None:
    """The code that the issuer put on the card, under the key version with which it was made.

    A re-keyed card keeps its code. Once a version before its present one is destroyed the code cannot be computed any
    more, and the issued one, which is compared anyway, decides alone: None.
    """
    rows = Key.objects.filter(
        organisation_id=card.organisation_id,
        name=AUTHENTICATION_KEY,
        algorithm=card.algorithm,
        version__lte=card.key_version,
    )
    references = list(rows.exclude(state="destroyed").exclude(reference="").values_list("reference", flat=True))
    if len(references) < card.key_version:
        return None
    issued = bytes.fromhex(card.identification_code or "")[-CODE_BYTES:]

    def code(factor: bytes, first12: bytes) -> bytes:
        machine = machine_of(card.organisation_id)
        found = [machine.card_authentication_codes(each, [factor], [first12])[0] for each in references]
        return next((each for each in found if hmac.compare_digest(each, issued)), found[-1])

    return code


def must_be(session: CardSession, card: Card) -> None:
    """The number in the chip is the card's. Raises Refused(CARD_OTHER_IN_READER)."""
    read = session.read_public_identity().card_number.text
    if read != card.number:
        raise Refused(Code.CARD_OTHER_IN_READER, got=read, expected=card.number)
