"""The papers of the counter: the receipt of an exchange, the record of a unified destruction (R1-R6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import override

from sheka.foundation.numbers.masking import mask_person_number
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.documents import NAMES, DocumentKind, documents_of_collection
from sheka.systems.cards.labels import FEE_RULES, GROUNDS
from sheka.systems.cards.models import DestructionBatch, ExchangeCase
from sheka.systems.cards.queries import exchange_named

METHODS = {
    "shred": Term("粉碎", "Shredding"),
    "crush": Term("压碎", "Crushing"),
    "incinerate": Term("焚烧", "Incineration"),
}
"""What the methods of policy/exchange.toml are called on paper."""


@action(Permission.EXCHANGE_APPLY)
def issue_receipt(actor: Actor, *, number: str) -> Document:
    """The receipt that the applicant takes along; made again with the same facts it is the same paper.

    Raises Refused: EXCHANGE_UNKNOWN, and what making a paper refuses.
    """
    case = exchange_named(actor, number)
    return make_paper(actor, template="exchange_receipt", subject=case.subject, facts=receipt_facts(case))


@action(Permission.OLD_CARD_DESTROY)
def issue_destruction_record(actor: Actor, *, number: str) -> Document:
    """The record with its witnesses, to be signed and filed. Raises Refused: DESTRUCTION_UNKNOWN, STATE_FORBIDS,
    ORGANISATION_OUT_OF_REACH, and what making a paper refuses.
    """
    batch = DestructionBatch.objects.select_related("organisation", "creator").filter(number=number).first()
    if batch is None:
        raise Refused(Code.DESTRUCTION_UNKNOWN, number=number)
    actor.must_act_for(batch.organisation)
    if batch.state != "closed":
        raise Refused(Code.STATE_FORBIDS, state=batch.state, verb="print", allowed="closed")
    subject = f"destruction:{batch.number}"
    return make_paper(actor, template="destruction_record", subject=subject, facts=destruction_facts(batch))


def receipt_facts(case: ExchangeCase) -> dict[str, Any]:
    """What stands on the receipt; of the holder's number only the masked form."""
    working = case.fee_working
    return {
        "holder": case.person.name,
        "person_number": mask_person_number(case.person.social_security_number),
        "old_card": str(case.old_card),
        "ground": both(GROUNDS[case.ground]),
        "applied_on": case.applied_on.isoformat(),
        "outlet": [case.outlet.name, case.outlet.name_en],
        "clerk": case.by,
        "proxy": f"{case.proxy_name}（{case.proxy_relation}）" if case.by_proxy else "",
        "due_on": case.due_on.isoformat(),
        "due_provisional": case.due_provisional,
        "strip": [{"day": row["day"], "working": row["working"]} for row in case.due_strip],
        "fee_fen": case.fee_fen,
        "fee_paid": case.fee_paid_at is not None,
        "fee_rule": both(FEE_RULES[working["rule"]]),
        "received_on": working.get("received_on") or "",
        "last_free_day": working.get("last_free_day") or "",
        "bring": _to_bring(case),
        "proof_number": case.proof_number,
        "proof_to": case.proof_to.isoformat(),
    }


def destruction_facts(batch: DestructionBatch) -> dict[str, Any]:
    """What stands on the record: how, who listed and closed, which cards, who saw it."""
    method = METHODS.get(batch.method, Term(batch.method, batch.method))
    cards = sorted(str(item.card) for item in batch.items.select_related("card"))
    return {
        "method": [method.zh, method.en],
        "creator": batch.creator.name,
        "created_at": _at(batch.created_at),
        "closed_by": batch.closed_by,
        "closed_at": _at(batch.closed_at or batch.created_at),
        "cards": cards,
        "witnesses": [[witness.name, _at(witness.at)] for witness in batch.witnesses.all()],
        "list_digest": batch.list_digest,
        "record_digest": batch.record_digest,
    }


def both(word: str | Promise) -> list[str]:
    """A word of the catalogue in Chinese and in English."""
    found = []
    for language in ("zh-hans", "en"):
        with override(language):
            found.append(str(word))
    return found


def _to_bring(case: ExchangeCase) -> list[list[str]]:
    asked = documents_of_collection(by_proxy=case.by_proxy, on=case.due_on)
    forms = {"original": Term("原件", "original"), "copy": Term("复印件", "copy")}
    found = [_listed(NAMES[kind], [forms[form] for form in kept]) for kind, kept in asked.items()]
    return found if DocumentKind.OLD_CARD in asked else [*found, _listed(NAMES[DocumentKind.OLD_CARD], [])]


def _listed(name: Term, forms: list[Term]) -> list[str]:
    if not forms:
        return [name.zh, name.en]
    zh, en = "、".join(form.zh for form in forms), ", ".join(form.en for form in forms)
    return [f"{name.zh}（{zh}）", f"{name.en} ({en})"]


def _at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
