"""What has to be shown: identity documents and the list of an exchange (R1, R7, R8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from typing import Any

from sheka.foundation.numbers import SocialSecurityNumber
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.systems.cards.fees import Ground
from sheka.systems.cards.models import Person
from sheka.systems.cards.policy import EXCHANGE, in_force


@unique
class DocumentKind(StrEnum):
    """A document of the list; the policy names them by these words."""

    HOLDER_ID = "holder_id"
    OLD_CARD = "old_card"
    CHANGE_FORM = "change_form"
    PROXY_ID = "proxy_id"
    CONFIRMATION = "confirmation"


NAMES = {
    DocumentKind.HOLDER_ID: Term("持卡人身份证", "the holder's ID card"),
    DocumentKind.OLD_CARD: Term("原社会保障卡", "the old card"),
    DocumentKind.CHANGE_FORM: Term("个人信息变更确认表", "the change confirmation form"),
    DocumentKind.PROXY_ID: Term("代办人身份证", "the proxy's ID card"),
    DocumentKind.CONFIRMATION: Term("换卡确认单", "the replacement confirmation"),
}
_FORMS = {"original": Term("原件", "original"), "copy": Term("复印件", "copy")}


@dataclass(frozen=True, slots=True)
class Document:
    """One document on the counter: its number where it has one, the original seen, a copy kept."""

    kind: DocumentKind
    number: str = ""
    original: bool = False
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity document as the clerk read it. `card` says that it is a citizen's ID card (its number is checked)."""

    name: str
    number: str
    card: bool = True


@dataclass(frozen=True, slots=True)
class Proxy:
    """Someone who acts for the holder: the own identity document, and the relation to the holder."""

    name: str
    number: str
    relation: str


def needed_documents(ground: Ground, *, by_proxy: bool, on: date) -> dict[DocumentKind, tuple[str, ...]]:
    """Document → what is needed of it ("original" to see, "copy" to keep), by the policy in force on `on`."""
    return _listed(in_force(EXCHANGE, "documents", on, ground=ground.value), by_proxy)


def documents_of_collection(*, by_proxy: bool, on: date) -> dict[DocumentKind, tuple[str, ...]]:
    """The same for the day on which the new card is collected (R3)."""
    return _listed(in_force(EXCHANGE, "collection", on), by_proxy)


def must_be_complete(shown: Sequence[Document], needed: dict[DocumentKind, tuple[str, ...]]) -> None:
    """Raises Refused(EXCHANGE_DOCUMENT_MISSING), naming everything that is missing."""
    given: dict[DocumentKind, set[str]] = {}
    for document in shown:
        forms = given.setdefault(document.kind, set())
        forms |= {name for name, there in (("original", document.original), ("copy", document.copy)) if there}
    missing = [(kind, form) for kind, forms in needed.items() for form in forms if form not in given.get(kind, set())]
    if missing:
        raise Refused(Code.EXCHANGE_DOCUMENT_MISSING, missing=_joined(missing))


def must_be_holder(person: Person, identity: Identity) -> None:
    """Raises Refused: CARD_IDENTITY_DIFFERS, CARD_IDENTITY_NAME, and the refusals of a number that cannot be one."""
    if identity.card:
        number = SocialSecurityNumber.parse(identity.number)
        if number.text != person.social_security_number:
            raise Refused(Code.CARD_IDENTITY_DIFFERS)
    if identity.name.strip() != person.name:
        raise Refused(Code.CARD_IDENTITY_NAME, who=Term("持卡人", "holder"))


def checked_proxy(person: Person, proxy: Proxy) -> Proxy:
    """The proxy with a number that holds. Raises Refused: CARD_PROXY_INCOMPLETE, CARD_PROXY_SELF, number refusals."""
    parts = (
        (Term("姓名", "name"), proxy.name),
        (Term("身份证号码", "number"), proxy.number),
        (Term("关系", "relation"), proxy.relation),
    )
    missing = [name for name, value in parts if not value.strip()]
    if missing:
        words = Term("、".join(name.zh for name in missing), ", ".join(name.en for name in missing))
        raise Refused(Code.CARD_PROXY_INCOMPLETE, missing=words)
    number = SocialSecurityNumber.parse(proxy.number)
    if number.text == person.social_security_number:
        raise Refused(Code.CARD_PROXY_SELF)
    return Proxy(proxy.name.strip(), number.text, proxy.relation.strip())


def _listed(row: Mapping[str, Any], by_proxy: bool) -> dict[DocumentKind, tuple[str, ...]]:
    kinds = [kind for kind in DocumentKind if kind.value in row and (by_proxy or kind is not DocumentKind.PROXY_ID)]
    return {kind: tuple(row[kind.value]) for kind in kinds}


def _joined(missing: list[tuple[DocumentKind, str]]) -> Term:
    pairs = [(NAMES[kind], _FORMS[form]) for kind, form in missing]
    zh = "、".join(f"{name.zh}（{form.zh}）" for name, form in pairs)
    return Term(zh, ", ".join(f"{name.en} ({form.en})" for name, form in pairs))
