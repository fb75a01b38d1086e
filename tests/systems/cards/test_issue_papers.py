"""The papers of the counter: a receipt that says what the exchange says, a record of destruction that can be signed."""

from __future__ import annotations

import io
from datetime import date

import pytest
from pypdf import PdfReader

from sheka.foundation.refusals import Code
from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Paper
from sheka.office.documents.queries import documents_of
from sheka.office.work.search import search
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.destroy_cards import close_destruction, create_destruction, witness_destruction
from sheka.systems.cards.actions.issue_papers import METHODS, issue_destruction_record, issue_receipt
from sheka.systems.cards.actions.pay_exchange import pay_exchange
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.policy import EXCHANGE, in_force

CENTRE = "460100-CC"


@pytest.fixture
def case(staff, make, papers):
    """An exchange at cost, applied for by proxy."""
    card = make.active()
    return apply_exchange(
        staff["clerk"],
        card=card,
        ground=Ground.DAMAGED,
        identity=make.identity(card),
        documents=papers("holder_id", "old_card"),
        damage=Damage(surface="卡面磨损", cause=Cause.WEAR),
    )


def words(actor, document):
    content = view_document(actor, document.pk, "打印").content
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.req("R2")
@pytest.mark.req("R5")
def test_the_receipt_says_what_the_exchange_says(case, staff, refused):
    clerk = staff["clerk"]
    made = issue_receipt(clerk, number=case.number)
    text = words(clerk, made)
    due = f"{case.due_on.year} 年 {case.due_on.month} 月 {case.due_on.day} 日"
    for word in (case.number, str(case.old_card), case.person.name, due, case.proof_number, "未缴", case.by):
        assert word in text, word
    assert case.person.social_security_number not in text
    assert [row.pk for row in documents_of(clerk, case.subject)] == [made.pk]
    assert issue_receipt(clerk, number=case.number).pk == made.pk
    refused(Code.EXCHANGE_UNKNOWN, lambda: issue_receipt(clerk, number="H0"))
    refused(Code.PERMISSION_MISSING, lambda: issue_receipt(staff["keeper"], number=case.number))
    refused(Code.EXCHANGE_UNKNOWN, lambda: issue_receipt(staff["far_clerk"], number=case.number))


def test_when_the_fee_is_paid_a_new_receipt_takes_the_place_of_the_first(case, staff):
    clerk = staff["clerk"]
    first = issue_receipt(clerk, number=case.number)
    pay_exchange(clerk, number=case.number, paid_fen=case.fee_fen, receipt="R-1")
    second = issue_receipt(clerk, number=case.number)
    assert "已缴" in words(clerk, second)
    assert {paper.document_id: paper.state for paper in Paper.objects.all()} == {first.pk: "void", second.pk: "valid"}


def test_a_scanned_receipt_opens_the_exchange(case, staff):
    issue_receipt(staff["clerk"], number=case.number)
    code = Paper.objects.get().spaced_code
    (group,) = search(staff["clerk"], f"https://node.example/verify/{code}")
    (found,) = group.found
    assert found.exact and found.address == ("console:exchange", case.number) and found.number == case.number
    assert search(staff["clerk"], "AAAAA-BBBBB-CCCCC-DDDDD") == []
    assert search(staff["far_clerk"], code) == []


@pytest.mark.req("R4")
def test_the_record_of_a_destruction_names_its_cards_and_its_two_witnesses(staff, make, places, refused):
    cards = [make.in_state("handed_in") for _ in range(2)]
    for card in cards:
        card.held_at = places[CENTRE]
        card.save(update_fields=["held_at"])
    keeper = staff["keeper"]
    batch = create_destruction(keeper, cards=cards, method="shred")
    refused(Code.STATE_FORBIDS, lambda: issue_destruction_record(keeper, number=batch.number))
    refused(Code.DESTRUCTION_UNKNOWN, lambda: issue_destruction_record(keeper, number="X0"))
    for name in ("witness", "witness_2"):
        witness_destruction(staff[name], number=batch.number, list_digest=batch.list_digest)
    closed = close_destruction(keeper, number=batch.number)
    made = issue_destruction_record(keeper, number=batch.number)
    text = words(keeper, made)
    assert all(str(card.number) in text for card in cards)
    assert staff["witness"].name in text and staff["witness_2"].name in text
    assert closed.record_digest in text.replace("\n", "") and "粉碎" in text
    assert issue_destruction_record(keeper, number=batch.number).pk == made.pk


def test_every_method_of_the_policy_has_its_word():
    assert set(in_force(EXCHANGE, "destruction", date(2026, 11, 22))["methods"]) == set(METHODS)
