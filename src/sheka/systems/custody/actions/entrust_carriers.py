"""Carriers to a third party and back: four conditions and a filing, then a hand-over by two people (K7)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.documents.models import Document
from sheka.office.organisations.models import Kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.begin_hand_over import start
from sheka.systems.custody.conditions import PLAN, conditions, must_be_fulfilled
from sheka.systems.custody.ledger import custody_number, must_say
from sheka.systems.custody.models import Carrier, Entrustment, HandOver, Purpose, SupervisionReport, VendorFiling
from sheka.systems.custody.policy import rules
from sheka.systems.custody.queries.parties import locked_entrustment
from sheka.systems.custody.reporting import report
from sheka.systems.custody.states import ENTRUSTMENT
from sheka.systems.custody.waiting import entrustment_over, filing_renewed, supervision_reported

PARTIES = (Kind.CARD_FACTORY, Kind.PSAM_SUPPLIER, Kind.MACHINE_SUPPLIER, Kind.SECURITY_COMPANY)
PARTY = Term("第三方", "Third party")
SUPERVISOR = Term("监督人", "Supervisor")


@action(Permission.CARRIER_ENTRUST)
def register_filing(actor: Actor, *, party: str, number: str, filed_on: date, valid_to: date) -> VendorFiling:
    """A supplier's filing with the ministry, by its receipt. Raises Refused: ORGANISATION_UNKNOWN, CUSTODY_ENTRY."""
    place = _party(party)
    said = must_say(Term("备案号", "Number of the filing"), number, 60)
    if not filed_on <= timezone.localdate() or not filed_on < valid_to:
        why = Term("备案日期不得晚于今天，有效期应晚于备案日期", "filed not later than today, and valid for a time")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("备案日期", "Day of the filing"), why=why)
    if VendorFiling.objects.filter(organisation_id=actor.organisation, party=place, number=said).exists():
        why = Term("该备案已登记", "this filing is registered already")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("备案号", "Number of the filing"), why=why)
    made = VendorFiling.objects.create(
        organisation_id=actor.organisation,
        party=place,
        number=said,
        filed_on=filed_on,
        valid_to=valid_to,
        by=actor.name,
        at=timezone.now(),
    )
    filing_renewed(actor, actor.organisation, place.code)
    record(actor, "vendor.filed", f"vendor:{place.code}", number=said, filed_on=filed_on, valid_to=valid_to)
    return made


@action(Permission.CARRIER_ENTRUST)
def prepare_entrustment(actor: Actor, *, party: str, purpose: str) -> Entrustment:
    """Begin the file of what is to go to a third party. Raises Refused: ORGANISATION_UNKNOWN, CUSTODY_ENTRY."""
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    place = _party(party)
    made = Entrustment.objects.create(
        number=custody_number("WT", organisation(actor.organisation)),
        organisation_id=actor.organisation,
        party=place,
        purpose=must_say(Term("用途", "What for"), purpose),
        creator_id=actor.staff_id,
        created_at=timezone.now(),
    )
    record(actor, "entrustment.prepared", made.subject, party=place.code, purpose=made.purpose)
    return made


@action(Permission.CARRIER_ENTRUST)
def set_agreement(actor: Actor, *, number: str, document_id: int, valid_to: date) -> Entrustment:
    """The agreement that both signed, a document of this file. Raises Refused: CUSTODY_UNKNOWN, CUSTODY_ENTRY."""
    row = locked_entrustment(actor, number)
    _must_run(row)
    row.agreement = _document(row, document_id, "confidentiality_agreement")
    row.agreement_valid_to = valid_to
    row.save()
    record(actor, "entrustment.agreement", row.subject, document=row.agreement.digest, valid_to=valid_to)
    return row


@action(Permission.CARRIER_ENTRUST)
def submit_plan(actor: Actor, *, number: str, document_id: int) -> Entrustment:
    """The security plan, put before its reviewers; a new plan makes an earlier approval void.

    Raises Refused: CUSTODY_UNKNOWN, CUSTODY_ENTRY, and what a proposal refuses.
    """
    row = locked_entrustment(actor, number)
    _must_run(row)
    plan = _document(row, document_id, "security_plan")
    row.plan, row.plan_approval = plan, uuid.uuid4()
    row.save()
    payload = {"entrustment": number, "party": row.party_id, "purpose": row.purpose, "plan": plan.digest}
    propose(actor, kind=PLAN, subject=row.subject, payload=payload, number=row.plan_approval)
    record(actor, "entrustment.plan_submitted", row.subject, document=plan.digest)
    return row


@action(Permission.CARRIER_DECIDE)
def approve_plan(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """In the transaction of the review: the plan with this digest may be worked by."""
    record(actor, "entrustment.plan_approved", proposal.subject, document=proposal.payload["plan"])
    return {"plan": proposal.payload["plan"]}


@action(Permission.CARRIER_ENTRUST)
def set_supervision(actor: Actor, *, number: str, supervisor: str, return_by: date) -> Entrustment:
    """Who of ours watches, and when everything is back. While it is out, a new day needs the same conditions.

    Raises Refused: CUSTODY_UNKNOWN, PARTY_SUPERVISOR, PARTY_RETURN_DATE, PARTY_AGREEMENT, PARTY_FILING, STATE_FORBIDS.
    """
    row = locked_entrustment(actor, number)
    _must_run(row)
    found = StaffMember.objects.filter(login=supervisor, organisation_id=actor.organisation, is_active=True).first()
    if found is None:
        party = Term(row.party.name, row.party.name_en)
        why = Term(f"本机构没有“{supervisor}”", f"nobody here signs in as {supervisor}")
        raise Refused(Code.PARTY_SUPERVISOR, party=party, why=why)
    if row.state == "out" and row.supervisor_id != found.pk:
        party = Term(row.party.name, row.party.name_en)
        raise Refused(
            Code.PARTY_SUPERVISOR, party=party, why=Term("载体在外期间由原监督人负责", "it is out with its supervisor")
        )
    row.supervisor, row.return_by, row.overdue_at, row.incident = found, return_by, None, ""
    today = timezone.localdate()
    names = ("return_date",) if row.state == "prepared" else ("return_date", "agreement", "filing")
    for condition in conditions(row, today):
        if condition.name in names and condition.missing is not None:
            raise condition.missing
    row.save()
    record(actor, "entrustment.supervision", row.subject, supervisor=supervisor, return_by=return_by)
    return row


@action(Permission.CARRIER_ENTRUST)
def hand_to_party(actor: Actor, *, number: str, serials: Sequence[str], outsider: str) -> HandOver:
    """Begin the hand-over of carriers to the third party, in the presence of the supervisor, who receives them for us
    and goes along. `outsider`: who takes them there, by name and identity document.

    Raises Refused: PARTY_AGREEMENT, PARTY_PLAN, PARTY_SUPERVISOR, PARTY_RETURN_DATE, PARTY_FILING, and what
    `begin_hand_over` refuses.
    """
    row = locked_entrustment(actor, number)
    ENTRUSTMENT.after(row.state, "go_out")
    must_be_fulfilled(row, timezone.localdate())
    made = HandOver(
        recipient=actor.organisation,
        purpose=Purpose.ENTRUST,
        reason=row.purpose,
        receiver=row.supervisor.login if row.supervisor else "",
        entrustment=row,
        outsider=must_say(Term("第三方接收人", "Who takes them"), outsider, 120),
    )
    return start(actor, made, serials, rules().desk)


@action(Permission.CARRIER_TAKE)
def bring_back(actor: Actor, *, number: str, serials: Sequence[str], receiver: str, outsider: str) -> HandOver:
    """The supervisor brings carriers back to the custodian `receiver`; both confirm, then seal and content are checked.

    Raises Refused: CUSTODY_UNKNOWN, and what `begin_hand_over` refuses.
    """
    row = locked_entrustment(actor, number)
    ENTRUSTMENT.after(row.state, "come_back")
    made = HandOver(
        recipient=actor.organisation,
        purpose=Purpose.RETURN,
        reason=row.purpose,
        receiver=receiver,
        entrustment=row,
        outsider=must_say(Term("第三方交还人", "Who brings them"), outsider, 120),
    )
    return start(actor, made, serials, rules().desk)


@action(Permission.CARRIER_TAKE)
def report_supervision(
    actor: Actor, *, number: str, seen: str, in_order: bool, document_id: int | None = None
) -> SupervisionReport:
    """What the supervisor saw at the third party; when something is not in order, an incident is opened at once.

    Raises Refused: CUSTODY_UNKNOWN, PARTY_SUPERVISOR (only the supervisor reports), CUSTODY_ENTRY, STATE_FORBIDS.
    """
    row = locked_entrustment(actor, number)
    ENTRUSTMENT.after(row.state, "come_back")
    if row.supervisor_id is None or row.supervisor_id != actor.staff_id:
        party = Term(row.party.name, row.party.name_en)
        why = Term("只有监督人本人可以报告", "only the supervisor reports")
        raise Refused(Code.PARTY_SUPERVISOR, party=party, why=why)
    said = must_say(Term("监督情况", "What was seen"), seen, 2000)
    made = SupervisionReport.objects.create(
        entrustment=row,
        staff_id=actor.staff_id,
        name=actor.name,
        seen=said,
        in_order=in_order,
        document=_document(row, document_id, "supervision_report") if document_id else None,
        at=timezone.now(),
    )
    supervision_reported(actor, row)
    record(actor, "entrustment.supervised", row.subject, in_order=in_order)
    if not in_order:
        out = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=row.serials, state="entrusted")
        about = Term(
            f"{row.party.name}使用密钥载体的监督中发现问题（{number}）。",
            f"Not in order while {row.party.name_en} had key carriers in use ({number}).",
        )
        report(actor, "other", out, about, said)
    return made


@action(Permission.CARRIER_ENTRUST)
def give_up_entrustment(actor: Actor, *, number: str) -> Entrustment:
    """Nothing goes out. Raises Refused: CUSTODY_UNKNOWN, STATE_FORBIDS."""
    row = locked_entrustment(actor, number)
    row.state = ENTRUSTMENT.after(row.state, "give_up")
    row.save()
    entrustment_over(actor, row)
    record(actor, "entrustment.given_up", row.subject)
    return row


def _party(code: str) -> Any:
    place = organisation(code)
    if place.kind not in PARTIES:
        why = Term(f"“{place.name}”不是供应或押运单位", f"{place.name_en} is neither a supplier nor a security company")
        raise Refused(Code.CUSTODY_ENTRY, field=PARTY, why=why)
    return place


def _must_run(row: Entrustment) -> None:
    ENTRUSTMENT.after(row.state, "go_out")


def _document(row: Entrustment, document_id: int, kind: str) -> Document:
    rows = Document.objects.filter(pk=document_id, organisation_id=row.organisation_id, subject=row.subject, kind=kind)
    found = rows.filter(state="kept").first()
    if found is None:
        why = Term("请先把文件存入本卷", "keep the file with this case first")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("文件", "Document"), why=why)
    return found
