"""The exceptions desk over its pages: both sides, what a rule suggests, adjustment and decision by two people (S10)."""

from __future__ import annotations

import re

import pytest
from tests.support.approvals import decided

from sheka.office.approvals.models import Proposal
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.queries import rules_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
SAID = "The institution says that it served the patient."


def text_of(answer, status=200):
    page = answer.content.decode()
    assert answer.status_code == status, page[-3000:]
    return page


def does(desk, case, verb, status=302, **form):
    """A verb over the page; the case as it is then."""
    sent = {f"{verb}-{name}": value for name, value in form.items()}
    answer = desk.ask("POST", f"/exceptions/{case.number}/do/{verb}", sent)
    assert answer.status_code == status, text_of(answer, answer.status_code)
    case.refresh_from_db()
    return answer.content.decode()


def test_the_desk_shows_what_runs_by_age_and_amount(desks, cases):
    page = text_of(desks["officer"].get("/exceptions"))
    assert all(case.number in page for case in cases.values())
    assert "3 open cases" in page
    mine = text_of(desks["officer"].get("/exceptions?state=mine"))
    assert not any(case.number in mine for case in cases.values())
    big = text_of(desks["officer"].get("/exceptions?above=100&state=running"))
    assert not any(case.number in big for case in cases.values())
    assert desks["clerk"].get("/exceptions").status_code == 403
    assert "Take in hand" not in text_of(desks["clearing"].get(f"/exceptions/{cases['amount'].number}"))


def test_a_case_has_both_sides_the_messages_and_what_differs(desks, cases, bank):
    page = text_of(desks["officer"].get(f"/exceptions/{cases['amount'].number}"))
    assert "They differ in 1 place." in page and "¥12.34" in page and "¥14.32" in page
    assert bank.cards[0].number not in page, "numbers of cards are masked"
    assert "Other cases about the same request" in page and cases["dispute"].number in page
    assert "By rule" in page and "ask_first v1" in page
    closed = text_of(desks["officer"].get(f"/exceptions/{cases['duplicate'].number}"))
    assert "exact_duplicate v1" in closed and "Open again" in closed


def test_a_suggested_adjustment_is_booked_by_two_people(desks, cases, bank):
    officer, case = desks["officer"], cases["only_theirs"]
    page = text_of(officer.get(f"/exceptions/{case.number}"))
    assert "pay_small_difference v1" in page
    does(officer, case, "take")
    page = text_of(officer.get(f"/exceptions/{case.number}"))
    assert re.search(r'<option value="suspense" selected', page), "the suggestion fills the form in"
    bad = does(officer, case, "adjust", 422, debit="suspense", credit="institution", amount="nine", text=SAID)
    assert "Enter an amount in yuan" in bad
    same = does(officer, case, "adjust", 422, debit="suspense", credit="suspense", amount="9", text=SAID)
    assert "An adjustment goes from one account to another." in same
    does(officer, case, "adjust", debit="suspense", credit="institution", amount="9.00", text=SAID)
    assert case.state == "proposed"
    proposal = Proposal.objects.get(number=case.proposal)
    assert "See the request" in text_of(desks["approver"].get(f"/exceptions/{case.number}"))
    asked = text_of(desks["approver"].get(f"/approvals/{proposal.pk}"))
    assert "Suspense account" in asked and "¥9.00" in asked
    decided(desks["approver"].actor, proposal)
    case.refresh_from_db()
    page = text_of(officer.get(f"/exceptions/{case.number}"))
    assert case.state == "resolved" and str(case.entry) in page
    bank.assert_ledger_holds()


def test_a_case_that_was_closed_by_a_rule_is_opened_again_by_a_person(desks, cases):
    officer, case = desks["officer"], cases["duplicate"]
    does(officer, case, "reopen", text=SAID)
    assert (case.state, case.by_hand) == ("open", True)
    does(officer, case, "take")
    does(officer, case, "ask", text="Which of the two lines counts?")
    page = text_of(officer.get(f"/exceptions/{case.number}"))
    assert "Which of the two lines counts?" in page and case.state == "asked"
    does(officer, case, "answer", text="The first one, they say.")
    does(officer, case, "close", 422, closing="duplicate", text="no")
    does(officer, case, "close", closing="duplicate", text="The institution sends a corrected file.")
    assert case.state == "closed"


def test_the_clerk_takes_a_dispute_and_sees_how_it_stands(desks, purchase, bank):
    clerk, card = desks["clerk"], bank.cards[0].number
    assert "Show its transactions" in text_of(clerk.get("/exceptions/dispute"))
    assert "Enter the nine characters" in text_of(clerk.ask("POST", "/exceptions/dispute", {"look-card": "7"}), 422)
    none = text_of(clerk.ask("POST", "/exceptions/dispute", {"look-card": "D9999999X"}))
    assert "No transactions" in none
    page = text_of(clerk.ask("POST", "/exceptions/dispute", {"look-card": card}))
    (pick,) = re.findall(r'name="pick" value="(\d+)"', page)
    page = text_of(clerk.ask("POST", "/exceptions/dispute", {"look-card": card, "pick": pick}))
    token = re.search(r'name="client_id" value="([0-9a-f-]+)"', page)[1]
    form = {"look-card": card, "transaction": pick, "client_id": token, "complaint": "twice", "text": SAID}
    over = text_of(clerk.ask("POST", "/exceptions/dispute", form | {"amount": "12.35"}), 422)
    assert "at most 1234 fen" in over
    answer = clerk.ask("POST", "/exceptions/dispute", form | {"amount": "12.34"})
    case = ExceptionCase.objects.get(reason="dispute")
    assert answer.status_code == 302 and answer.headers["Location"].endswith(case.number)
    assert clerk.ask("POST", "/exceptions/dispute", form | {"amount": "12.34"}).status_code == 302
    assert ExceptionCase.objects.count() == 1, "pressing the button twice is one dispute"
    assert case.number in text_of(clerk.get("/exceptions/disputes"))
    own = text_of(clerk.get(f"/exceptions/{case.number}"))
    assert SAID in own and "Take in hand" not in own
    officer = desks["officer"]
    does(officer, case, "take")
    page = text_of(officer.get(f"/exceptions/{case.number}"))
    assert "A dispute ends by a decision" in page
    does(officer, case, "decide", outcome="partly", amount="5.00", text="One packet was returned.")
    assert "provisional" in text_of(clerk.get(f"/exceptions/{case.number}"))
    decided(desks["approver"].actor, Proposal.objects.get(number=case.proposal))
    case.refresh_from_db()
    assert (case.state, bank.balance()) == ("resolved", 99_266)


def test_rules_are_shown_and_switched_by_an_approver(desks, cases):
    officer, approver = desks["officer"], desks["approver"]
    page = text_of(officer.get("/exceptions/rules"))
    assert "exact_duplicate v1" in page and "Switch off" not in page
    assert "Switch off" in text_of(approver.get("/exceptions/rules"))
    form = {"on": "0", "exact_duplicate-text": "Until the acquirers' files are mended."}
    assert officer.ask("POST", "/exceptions/rules/exact_duplicate/switch", form).status_code == 403
    assert approver.ask("POST", "/exceptions/rules/exact_duplicate/switch", {"on": "0"}).status_code == 422
    assert approver.ask("POST", "/exceptions/rules/exact_duplicate/switch", form).status_code == 302
    assert [on for rule, on, _row in rules_at("460100") if rule.name == "exact_duplicate"] == [False]
    assert "Until the acquirers" in text_of(officer.get("/exceptions/rules"))
    log = text_of(officer.get("/exceptions/rules/log"))
    assert cases["duplicate"].number in log and "times=2" in log
    assert approver.ask("POST", "/exceptions/rules/nothing/switch", form | {"nothing-text": SAID}).status_code == 404
