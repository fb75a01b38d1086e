"""The issuing city as the register that a card is judged by: its keys in the machine, its records (C1)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.equipment.card_reader.verdict import CardFacts
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Kind, Organisation
from sheka.systems.cards.chips import AUTHENTICATION_KEY
from sheka.systems.cards.models import Card
from sheka.systems.cards.standing import standing_of
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Key

_NEVER_ISSUED = Term("没有发行过此识别码的卡", "no card with this identification code was issued")
_NO_SUCH_KEY = Term("本市没有此版本的密钥", "the city never had a key of this version")
_STATES = {
    "retired": Term("该版本密钥已停用", "the key of this version is retired"),
    "destroyed": Term("该版本密钥已销毁", "the key of this version is destroyed"),
    "suspended": Term("该版本密钥因事件暂停使用", "the key of this version is suspended by an incident"),
}
_NOT_ACTIVE = Term("该版本密钥尚未启用", "the key of this version is not active yet")


class CityRegister:
    """The city that a card says it comes from; `card` is the card issued under its first 12 bytes, if there is one."""

    def __init__(self, facts: CardFacts, card: Card | None) -> None:
        self._card = card
        self._city = card.organisation_id if card is not None else _city_of(facts.code.region)

    def codes(self, facts: CardFacts, factor: bytes) -> list[bytes]:
        """One for each version of the key that the machine still has: a re-keyed card keeps its first code."""
        keys, machine = self._keys(facts), machine_of(self._place)
        if not keys:
            raise self._unknown(facts)
        signed = facts.code.signed_part
        found = [machine.card_authentication_codes(key.reference, [factor], [signed])[0] for key in keys]
        if facts.code.authentication_code not in found and self._rows(facts).filter(state="destroyed").exists():
            raise self._unknown(facts)  # it may have been made with the key that is gone
        return found

    def answer(self, facts: CardFacts, factor: bytes) -> bytes:
        """Under the key version that the card used, retired or not: whether that one is in use is another test."""
        keys = [key for key in self._keys(facts) if key.version == facts.key_version]
        if not keys:
            raise self._unknown(facts)
        machine = machine_of(self._place)
        return machine.internal_authentication(keys[0].reference, [factor], [facts.source], [facts.process_factor])[0]

    def version(self, facts: CardFacts) -> Term | None:
        """Why the version is not in use."""
        key = self._rows(facts).filter(version=facts.key_version).first()
        if key is None:
            return _NO_SUCH_KEY
        return None if key.state == "active" else _STATES.get(key.state, _NOT_ACTIVE)

    def standing(self, facts: CardFacts) -> Term | None:
        """What the records say against the card."""
        if self._card is None or self._card.identification_code != facts.code.text:
            return _NEVER_ISSUED
        return standing_of(self._card)

    @property
    def _place(self) -> str:
        if self._city is None:
            raise Refused(Code.CARD_NO_CITY, organisation="-")
        return self._city

    def _rows(self, facts: CardFacts) -> QuerySet[Key]:
        rows = Key.objects.filter(organisation_id=self._place, name=AUTHENTICATION_KEY, algorithm=facts.algorithm)
        return rows.order_by("version")

    def _keys(self, facts: CardFacts) -> list[Key]:
        """Those that the machine still has."""
        return list(self._rows(facts).exclude(state="destroyed").exclude(reference=""))

    def _unknown(self, facts: CardFacts) -> Refused:
        return Refused(Code.KEY_UNKNOWN, name=AUTHENTICATION_KEY, organisation=self._place, version=facts.key_version)


def _city_of(region: str) -> str | None:
    found = Organisation.objects.filter(kind=Kind.CITY, region=region).first()
    return found.code if found is not None else None
