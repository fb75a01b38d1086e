"""A partner disputes a transaction over the API, once, answers what it is asked, and reads the decision (S10)."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone
from tests.support.api import partner_of
from tests.support.approvals import decided
from tests.support.exceptions import notices
from tests.support.files import pdf
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.documents.queries import documents_of
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.actions.adjust_case import propose_decision
from sheka.systems.exceptions.actions.follow_dispute import withdraw_dispute
from sheka.systems.exceptions.actions.handle_case import ask_other_side, take_case
from sheka.systems.exceptions.actions.open_dispute import open_dispute
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.models import Transaction

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
SAID = "The patient paid in cash as well, the slip is here."


@pytest.fixture
def partners(bank):
    """The hospital's client, and another institution's."""
    actor = Actor.process("test", CITY)
    found = []
    for code, kind in ((HOSPITAL, "hospital"), ("P46010000077", "pharmacy")):
        add_organisation(
            actor, code=code, name=f"测试{kind}", name_en=f"Test {kind}", kind=kind, region=CITY, parent=CITY,
            valid_from=timezone.localdate(),
        )  # fmt: skip
        found.append(partner_of(actor, code))
    return found


def test_a_partner_disputes_answers_and_reads_the_decision(terminal, bank, partners, appoint):
    hospital, pharmacy = partners
    officer, approver = appoint("one", CITY, "exceptions_officer"), appoint("two", CITY, "exceptions_approver")
    assert terminal.purchase(bank.cards[0].number, 1_234).approved
    number = Transaction.objects.get().id
    body = {
        "id": str(uuid.uuid4()),
        "transaction": number,
        "complaint": "wrong_amount",
        "claimed_fen": 34,
        "text": SAID,
    }
    assert pharmacy.post("/disputes", body).status_code == 404, "another institution's transaction is not there"
    made = hospital.post("/disputes", body)
    assert made.status_code == 201, made.content
    case = made.json()["number"]
    assert hospital.post("/disputes", body).json()["number"] == case, "a new key, the same id: the same dispute"
    differs = hospital.post("/disputes", body | {"claimed_fen": 35})
    assert (differs.status_code, differs.json()["code"]) == (409, 4620)
    assert ExceptionCase.objects.filter(reason="dispute").count() == 1
    take_case(officer, number=case)
    ask_other_side(officer, number=case, text="Please send the slip.")
    told = hospital.get(f"/disputes/{case}").json()
    assert (told["state"], told["words"][-1]["text"], told["outcome"]) == ("asked", "Please send the slip.", "")
    assert pharmacy.get(f"/disputes/{case}").status_code == 404
    assert pharmacy.post(f"/disputes/{case}/answers", {"text": SAID}).status_code == 404
    assert hospital.post(f"/disputes/{case}/answers", {"text": SAID}).status_code == 201
    assert hospital.post(f"/disputes/{case}/answers", {"text": SAID}).status_code == 409
    propose_decision(officer, number=case, outcome="upheld", amount=34, reason="The slip says 12.00.")
    assert hospital.get(f"/disputes/{case}").json()["outcome"] == "", "a provisional decision is nobody's yet"
    decided(approver, Proposal.objects.get(subject=f"exception:{case}"))
    told = hospital.get(f"/disputes/{case}").json()
    assert (told["state"], told["outcome"], told["granted_fen"]) == ("resolved", "upheld", 34)
    assert told["posting"] and bank.balance() == 100_000 - 1_234 + 34
    assert [row["number"] for row in hospital.get("/disputes").json()["items"]] == [case]
    assert pharmacy.get("/disputes").json()["items"] == []
    assert hospital.get("/exceptions").status_code == 403
    bank.assert_ledger_holds()


def test_an_institution_is_heard_about_what_a_citizen_disputes(terminal, bank, partners, appoint):
    """It reads the dispute, answers, brings a file that the officer reads; it cannot withdraw what is not its own."""
    hospital, pharmacy = partners
    officer, clerk = appoint("one", CITY, "exceptions_officer"), appoint("clerk", "460100-01", "clerk")
    assert terminal.purchase(bank.cards[0].number, 1_234).approved
    asked = {"transaction": Transaction.objects.get().id, "complaint": "twice", "claimed": 1_234, "text": SAID}
    case = open_dispute(clerk, client_id=uuid.uuid4(), **asked).number
    told = hospital.get(f"/disputes/{case}").json()
    assert (told["side"], told["state"], [one["text"] for one in told["words"]]) == ("citizen", "open", [SAID])
    assert pharmacy.get(f"/disputes/{case}").status_code == 404
    take_case(officer, number=case)
    ask_other_side(officer, number=case, text="Please send the slip.")
    assert hospital.post(f"/disputes/{case}/answers", {"text": SAID}).status_code == 201
    given = {"Content_Type": "application/pdf"}
    kept = hospital.post(f"/disputes/{case}/evidence", pdf(), **given)
    assert kept.status_code == 201, kept.content
    assert hospital.post(f"/disputes/{case}/evidence", pdf(), **given).json()["id"] == kept.json()["id"]
    assert pharmacy.post(f"/disputes/{case}/evidence", pdf(), **given).status_code == 404
    assert hospital.post(f"/disputes/{case}/evidence", b"%PDF-not", **given).status_code == 422
    (document,) = documents_of(officer, f"exception:{case}")
    assert (document.pk, document.kind) == (kept.json()["id"], "dispute_evidence")
    assert notices(officer, ExceptionCase.objects.get()) == ["exception.told"]
    assert hospital.post(f"/disputes/{case}/withdrawal", {"text": SAID}).status_code == 404, (
        "the citizen's, not its own"
    )
    withdraw_dispute(clerk, number=case, text="The citizen found the second slip.")
    told = hospital.get(f"/disputes/{case}").json()
    assert (told["state"], told["words"][-1]["what"], told["posting"]) == ("closed", "withdraw", None)
    assert hospital.post(f"/disputes/{case}/evidence", pdf(), **given).status_code == 409
    body = {"id": str(uuid.uuid4()), "claimed_fen": 34, "text": SAID, "complaint": "wrong_amount"}
    own = hospital.post("/disputes", body | {"transaction": asked["transaction"]}).json()["number"]
    with pytest.raises(Refused) as refusal:
        withdraw_dispute(clerk, number=own, text="Not of this counter.")
    assert refusal.value.code is Code.EXCEPTION_UNKNOWN
    assert hospital.post(f"/disputes/{own}/withdrawal", {"text": SAID}).json()["state"] == "closed"
    assert check_exceptions() == []
