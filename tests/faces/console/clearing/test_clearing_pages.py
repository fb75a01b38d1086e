"""A clearing day on the console: sealed, filed, reconciled, netted by its people and by nobody else (S8, S10)."""

from __future__ import annotations

import dataclasses
import io
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from python_calamine import CalamineWorkbook
from tests.support.approvals import decided
from tests.support.archives import DAY, booked, officers, short
from tests.support.desks import person_at
from tests.support.exceptions import SAID, only_theirs, opened, proposal_of
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code
from sheka.office.staff.permissions import matrix, role_levels
from sheka.office.staff.queries import actor_of
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.models import AcquirerFile, Day, Net
from sheka.systems.clearing.queries import our_lines
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment
from sheka.systems.exceptions.actions.handle_case import close_case, take_case
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.actions.archive_day import propose_detaching, write_archive
from sheka.systems.transactions.queries import open_window

__all__ = ["booked", "officers", "short"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8")]
NEEDS = {
    "seal": "clearing.seal",
    "import": "clearing.import",
    "reconcile": "clearing.import",
    "net": "clearing.net",
}


def text_of(answer) -> str:
    assert answer.status_code == 200, (answer.status_code, answer.content.decode()[-3000:])
    return re.sub(r"\s+", " ", answer.content.decode())


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def offered(page: str) -> list[str]:
    """The verbs that the page leads to, the filled one first."""
    return re.findall(rf'href="/clearing/{CITY}/\d+/(\w+)"', page)


def file_of(day, lines, acquirer=HOSPITAL):
    return {"file": SimpleUploadedFile("day.txt", render(acquirer, day.settlement_date, lines))}


def refused(answer, code: Code) -> None:
    """By its number, with the page of the verb still there."""
    assert answer.status_code in (404, 409), answer.status_code
    assert f"no. {code.value}" in answer.content.decode()


@pytest.fixture
def today(bank):
    """The address of the page of the day that is open."""
    return f"/clearing/{CITY}/{open_window().settlement_date:%Y%m%d}"


def test_a_day_is_sealed_filed_reconciled_and_netted_from_its_page(terminal, bank, desk, today):
    officer, settlement = desk("clearing_officer"), desk("settlement_officer")
    assert terminal.purchase(bank.cards[0].number, 1_234).approved
    back = terminal.new_purchase(bank.cards[1].number, 500)
    terminal.send_purchase(back)
    terminal.reversal(back)
    assert today in text_of(officer.get("/clearing")), "what is to be sealed is led to"
    page = text_of(officer.get(today))
    assert "Seal the day when it is over" in page and "¥12.34" in page and "Purchase" in page
    assert offered(page) == ["seal"] and "is not sealed yet" in page, "what cannot be done says why"
    assert offered(text_of(settlement.get(today))) == []
    assert "never opened again" in text_of(officer.get(f"{today}/seal"))
    assert officer.ask("POST", f"{today}/seal").status_code == 302
    page = text_of(officer.get(today))
    assert f"Import the files that are missing: {HOSPITAL}." in page
    assert offered(page) == ["import"] and "is missing" in page
    assert re.search(r">Clearing <b>1<", page) and not re.search(r">Clearing <b>", text_of(settlement.get(today)))
    day = Day.objects.get()
    refused(officer.ask("POST", f"{today}/reconcile"), Code.CLEARING_NO_FILE)
    assert officer.ask("POST", f"{today}/import", {}).status_code == 422
    broken = {"file": SimpleUploadedFile("a.txt", b"H|1|x\n")}
    assert "The last line says" in officer.ask("POST", f"{today}/import", broken).content.decode()
    assert officer.ask("POST", f"{today}/import", file_of(day, our_lines(day, HOSPITAL))).status_code == 302
    page = text_of(officer.get(today))
    assert offered(page)[0] == "reconcile" and "1 file imported" in page and "File is here" in page
    assert officer.ask("POST", f"{today}/reconcile").status_code == 302
    page = text_of(officer.get(today))
    assert "a settlement officer nets it" in page and "Agrees" in page and "net" not in offered(page)
    page = text_of(settlement.get(today))
    assert re.search(r">Clearing <b>1<", page), "now it waits for the other one"
    assert offered(page) == ["net"] and "As it would be netted now" in page
    asked = words_of(text_of(settlement.get(f"{today}/net")))
    assert "The city pays the institution ¥12.34 ¥12.34" in asked
    assert "Personal accounts Haikou" in asked and "-¥12.34" in asked and "Sum of all positions ¥0.00" in asked
    assert settlement.ask("POST", f"{today}/net").status_code == 302
    page = words_of(text_of(settlement.get(today)))
    assert "Fixed when the day was netted" in page and "Sum of all positions ¥0.00" in page
    for done in ("Sealed", "1 file imported", "Reconciled: flat", "Netted"):
        assert done in page, "the life line names it"
    refused(settlement.ask("POST", f"{today}/net"), Code.STATE_FORBIDS)
    refused(officer.ask("POST", f"{today}/import", file_of(day, [], "H46010099999")), Code.INSTITUTION_UNKNOWN)
    refused(officer.ask("POST", f"{today}/reconcile"), Code.STATE_FORBIDS)
    assert Net.objects.get().amount == 1_234
    chinese = text_of(desk("clearing_officer", "zh-hans").get(today))
    assert "谁付给谁" in chinese and "已轧差" in chinese


@pytest.mark.req("S10")
def test_what_differs_stands_on_the_page_until_its_cases_have_ended(terminal, bank, desk, today, appoint):
    officer, settlement = desk("clearing_officer"), desk("settlement_officer")
    for amount in (100, 200, 300):
        assert terminal.purchase(bank.cards[0].number, amount).approved
    case = opened(only_theirs(bank))
    by, approver = appoint("one", CITY, "exceptions_officer"), appoint("two", CITY, "exceptions_approver")
    take_case(by, number=case.number)
    propose_adjustment(by, number=case.number, debit="suspense", credit="institution", amount=900, reason=SAID)
    decided(approver, proposal_of(case))
    officer.ask("POST", f"{today}/seal")
    day = Day.objects.get()
    ours = our_lines(day, HOSPITAL)
    theirs = [dataclasses.replace(ours[0], amount=101), ours[1], dataclasses.replace(ours[2], stan=777, amount=900)]
    officer.ask("POST", f"{today}/import", file_of(day, theirs))
    assert officer.ask("POST", f"{today}/reconcile").status_code == 302
    page = text_of(officer.get(today))
    words = words_of(page)
    assert "3 cases of this day still run" in words
    for one in ExceptionCase.objects.exclude(pk=case.pk):
        assert f'href="/exceptions/{one.number}"' in page, "every difference leads to its case"
    assert "The amounts differ" in words and "¥1.00 ¥1.01 ¥0.01" in words, "ours, theirs, at stake"
    assert "— ¥9.00 ¥9.00" in words and "¥3.00 — ¥3.00" in words, "what only one side has"
    assert "Differs" in words and "3 run" in words
    assert "Adjustments carried in" in words and f'href="/exceptions/{case.number}"' in page and "¥9.00" in words
    barred = words_of(text_of(settlement.get(today)))
    assert "has 3 differences that are not settled" in barred
    refused(settlement.ask("POST", f"{today}/net"), Code.CLEARING_NOT_FLAT)
    refused(officer.ask("POST", f"{today}/import", file_of(day, ours)), Code.CLEARING_FILE_TWICE)
    listed = text_of(officer.get(f"/clearing/differences?day={day.settlement_date}"))
    assert len(re.findall(r'href="/exceptions/EX\w+"', listed)) == 3
    assert "Nothing fits the filters" in text_of(officer.get("/clearing/differences?day=2020-01-01"))
    for one in ExceptionCase.objects.filter(state="open"):
        take_case(by, number=one.number)
        close_case(by, number=one.number, resolution="The institution corrects its file.", closing="other_side")
    assert "reconciled once more" in text_of(officer.get(today))
    officer.ask("POST", f"{today}/reconcile")
    words = words_of(text_of(officer.get(today)))
    assert "3 ended" in words and "Agrees" in words and "Reconciled: 3 differences" in words
    assert settlement.ask("POST", f"{today}/net").status_code == 302
    words = words_of(text_of(settlement.get(today)))
    assert "¥15.00" in words, "6.00 of the day and 9.00 of the case"
    assert "Suspense" in words and "Sum of all positions ¥0.00" in words
    book = CalamineWorkbook.from_filelike(io.BytesIO(settlement.get("/clearing/nets?export=xlsx").content))
    head, row = book.get_sheet_by_index(0).to_python()
    assert (row[1], row[head.index("Net amount")]) == (HOSPITAL, 15.0)


def test_no_role_does_what_is_not_its_own(desk, today):
    """Every role of a city against every verb: a refusal by number, and nothing is done."""
    wrong = []
    for role, levels in role_levels().items():
        if "city" not in levels:
            continue
        held, at = matrix()[role], desk(role)
        seen = at.get(today).status_code
        if (seen == 200) is not ("clearing.view" in held):
            wrong.append((role, "page", seen))
        for verb, needed in NEEDS.items():
            if not held & set(NEEDS.values()) and verb != "seal":
                continue  # the mark of the page is one for all of them
            if (at.get(f"{today}/{verb}").status_code == 403) is (needed in held):
                wrong.append((role, verb, "GET"))
            if needed not in held and at.ask("POST", f"{today}/{verb}").status_code != 403:
                wrong.append((role, verb, "POST"))
    assert not wrong
    assert not Day.objects.exists() and not AcquirerFile.objects.exists()


def test_another_city_and_a_day_that_is_none_are_not_found(desk, today, tree):
    far, officer = desk("clearing_officer", place="460200"), desk("clearing_officer")
    for address in (today, f"{today}/seal", f"{today}/reconcile"):
        refused(far.get(address), Code.CLEARING_DAY_UNKNOWN)
    refused(far.ask("POST", f"{today}/seal"), Code.CLEARING_DAY_UNKNOWN)
    assert not Day.objects.exists()
    assert officer.ask("POST", f"{today}/seal").status_code == 302
    own = today.replace(CITY, "460200")
    page = text_of(far.get(own))
    assert "To be sealed" in page and "so that it is counted here too" in page
    assert far.ask("POST", f"{own}/seal").status_code == 302
    assert [day.organisation_id for day in Day.objects.order_by("organisation_id")] == [CITY, "460200"]
    assert officer.get(f"/clearing/{CITY}/20201301").status_code == 404
    refused(officer.get(today.replace(CITY, "460100-01")), Code.CLEARING_DAY_UNKNOWN)
    refused(officer.get(f"/clearing/{CITY}/20200101"), Code.CLEARING_DAY_UNKNOWN)
    assert officer.get(f"{today}/explode").status_code == 404


def test_a_file_says_itself_of_which_day_it_is(terminal, bank, desk, today):
    """The officer stands on Tuesday's page with Monday's file: it is kept with Monday."""
    officer = desk("clearing_officer")
    officer.ask("POST", f"{today}/seal")
    monday = Day.objects.get()
    tuesday = f"/clearing/{CITY}/{monday.settlement_date + timedelta(days=1):%Y%m%d}"
    page = text_of(officer.get(tuesday))
    assert "This day has not begun" in page and 'class="button" href' in page, "it is not the next thing to do"
    assert "has not begun" in text_of(officer.get(f"{tuesday}/seal"))
    officer.ask("POST", f"{tuesday}/seal")
    assert officer.ask("POST", f"{tuesday}/import", file_of(monday, our_lines(monday, HOSPITAL))).status_code == 302
    assert "File is here" in text_of(officer.get(today)) and "File is here" not in text_of(officer.get(tuesday))
    assert AcquirerFile.objects.get().day == monday
    assert actor_of(person_at(CITY, "clearing_officer")).name in text_of(officer.get(today)), "who brought it"


def test_a_day_whose_transactions_are_archived_stands_as_it_was_sealed_and_netted(booked, officers, desk, superuser):
    """Its rows are in files: the page says so, and does not cry that the books are wrong."""
    with superuser() as administrator:
        administrator.execute("UPDATE transactions_window SET settlement_date = %s WHERE closed_at IS NOT NULL", [DAY])
    officer, settlement = desk("clearing_officer"), desk("settlement_officer")
    address = f"/clearing/{CITY}/{DAY:%Y%m%d}"
    assert officer.ask("POST", f"{address}/seal").status_code == 302
    day = Day.objects.get()
    officer.ask("POST", f"{address}/import", file_of(day, our_lines(day, HOSPITAL)))
    officer.ask("POST", f"{address}/reconcile")
    assert settlement.ask("POST", f"{address}/net").status_code == 302
    before = words_of(text_of(officer.get(address)))
    assert "As they were sealed" in before and "Sum of all positions ¥0.00" in before
    for more, cries in ((1, True), (-1, False)):
        with superuser() as administrator:
            administrator.execute("UPDATE clearing_day SET purchases = purchases + %s", [more])
        page = words_of(text_of(officer.get(address)))
        assert ("does not add up to what was sealed" in page) is cries, "nothing explains it"
    clearing, other = officers
    write_archive(clearing, day=DAY)
    decided(other, propose_detaching(clearing, day=DAY))
    page = words_of(text_of(officer.get(address)))
    assert "have left the database for the archive" in page and "does not add up" not in page
    owed = f"¥{Net.objects.get().amount / 100:,.2f}"
    assert f"The city pays the institution {owed} {owed}" in page, "what was netted stands"
