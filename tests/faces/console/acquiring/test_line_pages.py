"""The line of an institution on the console: keys, certificates and their end, a locked terminal, test money (S4)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from tests.support.acquiring import line_as, until
from tests.support.desks import person_at, signed_in
from tests.support.payments import CITY, HOSPITAL, make_cards, switch
from tests.systems.transactions.test_lines_proofs import PIN, Pad, closed
from tests.systems.transactions.test_onboarding import certificate

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Refused
from sheka.office.audit.models import Event
from sheka.systems.accounts.queries import account_of
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.acquiring_models import Certificate, TestCard
from sheka.systems.transactions.actions.keep_test_cards import name_test_card
from sheka.systems.transactions.line_models import TerminalFault, WorkingKey
from sheka.systems.transactions.models import Institution, Terminal

__all__ = ["closed", "switch"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
PAGE = f"/acquiring/institutions/{HOSPITAL}"
ONE = "460100000001"


@pytest.fixture
def desks(bank):
    """role → a desk of Haikou, in English when nothing else is said."""

    def desk(role, language="en"):
        return signed_in(person_at(CITY, role), language)

    return desk


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def exchanged(line) -> str:
    """A MAC key, "" while the switch does not know the transport key yet."""
    try:
        return str(line.key_exchange("2"))
    except Refused:
        return ""


@pytest.mark.req("K6")
def test_the_line_shows_its_keys_by_check_value_and_what_was_said_over_it(desks, bank, switch):
    officer, supervisor = desks("acquiring_officer"), desks("acquiring_supervisor")
    empty = text_of(officer.get(f"{PAGE}/line"))
    assert "No transport key is set" in empty and "not heard in the last two days" in empty
    assert "Set the transport key" in empty and "Set the transport key" not in text_of(supervisor.get(f"{PAGE}/line"))
    assert (
        "no transport key of this algorithm" in officer.ask("POST", f"{PAGE}/line/transport_key", {}).content.decode()
    )
    key = machine_of(CITY).generate(f"ZMK-{uuid4()}", Algorithm.SM4, Usage.WRAP, owner=CITY)
    assert key.check_value in text_of(officer.get(f"{PAGE}/line/transport_key"))
    assert supervisor.ask("POST", f"{PAGE}/line/transport_key", {"reference": key.ref}).status_code == 403
    assert officer.ask("POST", f"{PAGE}/line/transport_key", {"reference": "other"}).status_code == 422
    assert officer.ask("POST", f"{PAGE}/line/transport_key", {"reference": key.ref}).status_code == 302
    with line_as(switch, ONE, HOSPITAL) as line:
        line.sign_on()
        until(lambda: exchanged(line))
        line.sign_off()
    given = WorkingKey.objects.get()

    def told():
        page = text_of(officer.get(f"{PAGE}/line"))
        return page if "signed off" in page else ""

    page = until(told)
    assert given.check_value in page and key.check_value in page and given.factor not in page
    assert "key exchange" in page and "sign-on" in page and "127.0.0.1" in page
    assert "近期线路报文" in text_of(desks("auditor", "zh-hans").get(f"{PAGE}/line"))
    assert officer.ask("POST", f"{PAGE}/line/profile", {"profile": "3des", "keys_for": "terminal"}).status_code == 302
    row = Institution.objects.get(code=HOSPITAL)
    assert (row.profile, row.transport_key, row.mac_version) == ("3des", "", 2)
    assert officer.get(f"{PAGE}/line/explode").status_code == 404


def test_a_terminal_that_the_switch_locked_is_unlocked_with_what_was_found(desks, switch):
    """The till of a pharmacy stays shut until somebody who may says why it is opened."""
    officer, supervisor = desks("acquiring_officer"), desks("acquiring_supervisor")
    echo = {7: f"{timezone.localtime():%m%d%H%M%S}", 11: "000001", 41: ONE, 42: HOSPITAL.ljust(15), 70: "301"}
    with line_as(switch, ONE, HOSPITAL, wrong=True) as wrong:
        for _ in range(10):
            wrong.exchange(wrong.encoded("0800", echo))
    until(lambda: Terminal.objects.get(number=ONE).state == "locked")
    page = f"/acquiring/terminals/{ONE}"
    shown = text_of(supervisor.get(page))
    assert "too many of its messages were wrong" in shown and "wrong MAC" in shown and "Unlock the terminal" in shown
    assert "1 terminal locked" in text_of(officer.get(f"{PAGE}/line"))
    assert re.search(r"Terminals <b[^>]*>1<", text_of(supervisor.get("/acquiring/terminals?state=locked")))
    assert "Unlock the terminal" not in text_of(officer.get(page))
    assert officer.ask("POST", f"{page}/unlock", {"text": "查明"}).status_code == 403
    assert supervisor.ask("POST", f"{page}/unlock", {"text": ""}).status_code == 422
    assert supervisor.ask("POST", f"{page}/unlock", {"text": "机构换钥后未更新终端"}).status_code == 302
    assert Terminal.objects.get(number=ONE).state == "active"
    assert TerminalFault.objects.get().times == 0
    assert Event.objects.filter(event="terminal.unlock", facts__contains="机构换钥后未更新终端").count() == 1
    assert supervisor.ask("POST", f"{page}/unlock", {"text": "再次"}).status_code == 409, "it is not locked any more"


def test_a_certificate_that_ends_soon_stands_out_and_is_ended_with_a_reason(desks):
    officer, supervisor = desks("acquiring_officer"), desks("acquiring_supervisor")
    for days in (20, 300):
        assert officer.ask("POST", f"{PAGE}/certificate", {"pem": certificate(days)}).status_code == 302
    soon, late = Certificate.objects.order_by("valid_to")
    shown = text_of(officer.get("/acquiring/certificates"))
    assert "in force for 19 days more" in shown
    assert shown.index(soon.fingerprint[:16]) < shown.index(late.fingerprint[:16])
    assert late.fingerprint[:16] not in text_of(officer.get("/acquiring/certificates?state=soon"))
    waiting = r"Certificates of lines <b"
    assert not re.search(waiting, shown), "the next one is registered already: nothing waits"
    page = f"{PAGE}/certificates/{late.fingerprint}"
    assert "End this certificate" not in text_of(supervisor.get(page)) and late.fingerprint in text_of(
        officer.get(page)
    )
    assert supervisor.ask("POST", page, {"text": "更换"}).status_code == 403
    assert officer.ask("POST", page, {"text": ""}).status_code == 422
    assert officer.ask("POST", page, {"text": "私钥外泄"}).status_code == 302
    late.refresh_from_db()
    assert late.ended_at is not None
    assert "ended" in text_of(officer.get(page)) and officer.ask("POST", page, {"text": "再次"}).status_code in (
        404,
        409,
    )
    assert re.search(waiting, text_of(officer.get("/acquiring/certificates"))), "the last one ends soon"
    assert "fall silent at once" in text_of(officer.get(f"{PAGE}/certificates/{soon.fingerprint}"))
    Certificate.objects.filter(pk=soon.pk).update(
        valid_from=timezone.now() - timedelta(days=9), valid_to=timezone.now() - timedelta(days=1)
    )
    assert "expired" in text_of(officer.get("/acquiring/certificates?state=over"))
    far = signed_in(person_at("460200", "acquiring_officer"), "en")
    assert far.get(page).status_code == 404 and late.fingerprint[:16] not in text_of(far.get("/acquiring/certificates"))


def test_test_money_is_paid_in_once_by_the_account_office(desks, bank, tree):
    (card,) = make_cards(tree[CITY], 1, first=900)
    name_test_card(bank.actor, card_number=card.number)
    accounts, officer = desks("account_officer"), desks("acquiring_officer")
    page = text_of(accounts.get("/acquiring/test-cards"))
    link = re.search(r'href="(/acquiring/test-cards/\d+/money)"', page)[1]
    assert "Set a card apart" not in page and link not in text_of(officer.get("/acquiring/test-cards"))
    assert officer.get(link).status_code == 403
    once = re.search(r'name="once" value="([0-9a-f-]+)"', text_of(accounts.get(link)))[1]
    assert accounts.ask("POST", link, {"amount": "", "once": once}).status_code == 422
    for _ in range(2):
        assert accounts.ask("POST", link, {"amount": "100.00", "once": once}).status_code == 302
    assert account_of(card.person_id).balance == 10_000, "sent twice it is paid in once"
    assert "¥100.00" in text_of(accounts.get("/acquiring/test-cards"))
    assert TestCard.objects.get().card_number not in page
    assert accounts.get("/acquiring/test-cards/999/money").status_code == 404


def test_a_pin_for_payments_is_set_by_the_pad_and_never_typed(desks, bank, switch):
    """The clerk sees whether there is one; the PIN is in the pad and in the machine alone."""
    card, pad = bank.cards[0].number, Pad(switch, bank)
    clerk = signed_in(person_at(CITY, "clerk"), "en")
    page = text_of(clerk.get(f"/cards/{card}"))
    assert "PIN for payments" in page and "not set" in page
    assert "PIN for payments" not in text_of(desks("card_supervisor").get(f"/cards/{card}"))
    address = f"/cards/{card}/online-pin"
    assert desks("card_supervisor").get(address).status_code == 403
    assert clerk.ask("POST", address, {"terminal": ONE, "block": PIN}).status_code == 422
    wrong = clerk.ask("POST", address, {"terminal": ONE, "block": "00" * 16})
    assert wrong.status_code in (409, 422) and "4711" in wrong.content.decode()
    block = pad.keys.pin_block(PIN, card).hex()
    assert clerk.ask("POST", address, {"terminal": ONE, "block": block}).status_code == 302
    assert "Set the PIN anew" in text_of(clerk.get(f"/cards/{card}"))
    assert pad.pay(card, PIN).approved
