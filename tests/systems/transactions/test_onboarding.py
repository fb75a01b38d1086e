"""An institution is taken in by what its software did at the switch, and by two people (S4)."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.acquiring import SHOP, TEST_MONEY, TEST_NUMBER, line_as, test_card, until
from tests.support.payments import CITY

from sheka.foundation.refusals import Code, Refused
from sheka.office.scope import whole_node
from sheka.systems.accounts.queries import account_of
from sheka.systems.exceptions import check
from sheka.systems.transactions.acquiring_models import Onboarding, Trial
from sheka.systems.transactions.actions.keep_certificates import add_certificate, end_certificate
from sheka.systems.transactions.actions.keep_test_cards import name_test_card
from sheka.systems.transactions.actions.onboard_institution import accept_testing, begin_testing, give_up_testing
from sheka.systems.transactions.actions.register_institution import (
    change_institution,
    change_terminals,
    register_institution,
    register_terminals,
    update_institution,
    update_terminal,
)
from sheka.systems.transactions.models import Institution, Terminal, Transaction
from sheka.systems.transactions.onboarding import progress, steps, ticked
from sheka.systems.transactions.queries import open_window, window_totals
from sheka.systems.transactions.queries_of_abnormal import fresh_abnormal
from sheka.systems.transactions.queries_of_acquiring import (
    institution_named,
    last_seen,
    must_be_tested_again,
    registry_of,
    spots_of,
)
from sheka.systems.transactions.rehearsal import rehearse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(appoint):
    """role → an actor of Haikou, one person for each role."""
    known = {}

    def at(role):
        return known.setdefault(role, None) or known.update({role: appoint(f"desk-{role}", CITY, role)}) or known[role]

    return at


@pytest.fixture
def shop(bank, desk):
    """A pharmacy as the officer registered it, with one terminal."""
    officer = desk("acquiring_officer")
    made = register_institution(officer, code=SHOP, name="海口椰风药房", contract="协议2026-9")
    register_terminals(
        officer, institution_code=SHOP, numbers=["460100000009"], model="P2", latitude="20.031", longitude=110.329
    )
    return made


def refusal(act, /, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return caught.value.code


@pytest.mark.req("S4")
def test_an_institution_is_taken_in_by_what_the_switch_saw_and_by_a_second_person(
    bank, shop, desk, tree, switch, monkeypatch
):
    officer, supervisor = desk("acquiring_officer"), desk("acquiring_supervisor")
    assert shop.state == "registered" and shop.kind == "pharmacy"
    assert refusal(change_institution, supervisor, code=SHOP, verb="activate") is Code.STATE_FORBIDS
    tests = begin_testing(officer, code=SHOP, protocol="1.0", software="2.4.1", terminals=[TEST_NUMBER])
    assert refusal(accept_testing, officer, code=SHOP) is Code.ONBOARDING_INCOMPLETE
    card = test_card(bank, tree[CITY])
    side = SHOP + "T"
    with (
        line_as(switch, TEST_NUMBER, side) as line,
        line_as(switch, TEST_NUMBER, side, wrong=True, stan=900) as spoiled,
    ):
        rehearse(line, spoiled, card.number)
        refused = line.purchase(bank.cards[0].number, 100)
        assert (refused.response_code, refused.refusal) == ("58", Code.TEST_TERMINAL_OTHER_CARD.value)
    until(lambda: all(tick.done for tick in progress(tests)))
    assert [tick.step.name for tick in progress(tests)] == [step.name for step in steps("iso8583")]
    accept_testing(officer, code=SHOP)
    assert Institution.objects.get(code=SHOP).state == "accepted"
    assert Institution.objects.get(code=side).state == "suspended", "its test terminals are silent now"
    assert refusal(change_institution, officer, code=SHOP, verb="activate") is Code.PERMISSION_MISSING
    assert refusal(change_terminals, supervisor, numbers=["460100000009"], verb="activate") is (
        Code.INSTITUTION_STILL_TESTING
    )
    row = change_institution(supervisor, code=SHOP, verb="activate")
    assert (row.state, row.protocol, row.software) == ("active", "1.0", "2.4.1")
    change_terminals(supervisor, numbers=["460100000009"], verb="activate")
    with line_as(switch, "460100000009", SHOP) as line:
        assert line.purchase(bank.cards[0].number, 100).approved
        elsewhere = line.purchase(card.number, 100)
        assert (elsewhere.response_code, elsewhere.refusal) == ("62", Code.TEST_CARD_ELSEWHERE.value)
    with whole_node("the job of the exceptions desk reads all rows"):
        assert fresh_abnormal(written=0, number=0, highest=0) == [], "what tests provoke opens no case"
    at_once = [(name, re.sub("[67]0 seconds", "0 seconds", query)) for name, query in check.CHECKS]
    monkeypatch.setattr(check, "CHECKS", at_once)
    assert check.check_exceptions() == [], "and none is missed"
    totals = {total.code: total.purchases for total in window_totals(open_window(), CITY)}
    assert totals == {SHOP: 100}, "test transactions are never in a clearing day"
    assert account_of(card.person_id).balance == TEST_MONEY, "every test purchase was taken back"
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_what_was_said_in_one_moment_is_read_in_the_order_of_its_answers(shop, desk, superuser):
    """The switch writes them together, and the database numbers them as it likes: a step that was done stayed open."""
    tests = begin_testing(desk("acquiring_officer"), code=SHOP, protocol="1.0", software="1", terminals=[TEST_NUMBER])
    said = [("0200", "00"), ("0400", "00"), ("0401", "00")]
    now, none = timezone.now(), [""] * len(said)
    columns = (
        [Terminal.objects.get(number=TEST_NUMBER).pk] * len(said),
        [now + timedelta(microseconds=place) for place in range(len(said))],
        [kind for kind, _ in said],
        ["000000"] * len(said),
        *(none, ["000001"] * len(said), ["1122"] * len(said), [100] * len(said), none, [code for _, code in said]),
        *([0] * len(said), [1] * len(said), [1] * len(said)),
    )
    types = "int[] timestamptz[] text[] text[] text[] text[] text[] bigint[] text[] text[] int[] bigint[] bigint[]"
    with superuser() as administrator:
        places = ", ".join(f"%s::{one}" for one in types.split())
        administrator.execute(f"SELECT switch_trials_seen({places})", columns)
    done = {tick.step.name for tick in progress(tests) if tick.done}
    assert {"purchase", "reversal", "reversal_repeated"} <= done


@pytest.mark.req("S4")
def test_a_new_version_is_tested_beside_the_work_and_taken_up_by_another_person(bank, shop, desk, tree, switch):
    officer, supervisor = desk("acquiring_officer"), desk("acquiring_supervisor")
    Institution.objects.filter(pk=shop.pk).update(state="active", protocol="0.9")
    assert must_be_tested_again(institution_named(officer, SHOP))
    tests = begin_testing(officer, code=SHOP, protocol="1.1", software="3.0", terminals=[TEST_NUMBER])
    assert Institution.objects.get(code=SHOP).state == "active", "it goes on working"
    assert (
        refusal(begin_testing, officer, code=SHOP, protocol="1.0", software="1", terminals=[]) is Code.ONBOARDING_OPEN
    )
    assert refusal(change_institution, supervisor, code=SHOP, verb="adopt") is Code.ONBOARDING_NOT_OPEN
    card = test_card(bank, tree[CITY])
    with (
        line_as(switch, TEST_NUMBER, SHOP + "T") as line,
        line_as(switch, TEST_NUMBER, SHOP + "T", wrong=True, stan=900) as spoiled,
    ):
        rehearse(line, spoiled, card.number)
    until(lambda: all(tick.done for tick in progress(tests)))
    accept_testing(officer, code=SHOP)
    row = change_institution(supervisor, code=SHOP, verb="adopt")
    assert (row.state, row.protocol, row.software) == ("active", "1.1", "3.0")
    assert not must_be_tested_again(row)


@pytest.mark.req("S4")
def test_who_holds_both_roles_by_two_accounts_is_one_person_still(bank, appoint, switch):
    officer = appoint("one-desk", CITY, "acquiring_officer", person="the-same")
    supervisor = appoint("other-desk", CITY, "acquiring_supervisor", person="the-same")
    register_institution(officer, code=SHOP, name="药房")
    Institution.objects.filter(code=SHOP).update(state="accepted")
    Onboarding.objects.create(
        institution=Institution.objects.get(code=SHOP),
        protocol="1.0",
        software="1",
        channel="iso8583",
        begun_at=timezone.now(),
        by="test",
        ended_at=timezone.now(),
        outcome="accepted",
    )
    assert refusal(change_institution, supervisor, code=SHOP, verb="activate") is Code.ACTIVATED_BY_SAME_PERSON
    other = appoint("third-desk", CITY, "acquiring_supervisor")
    assert change_institution(other, code=SHOP, verb="activate").state == "active"


@pytest.mark.req("S4")
def test_tests_are_given_up_with_a_reason_and_their_terminals_stop(bank, shop, desk, tree, switch):
    officer = desk("acquiring_officer")
    begin_testing(officer, code=SHOP, protocol="1.0", software="1", terminals=[TEST_NUMBER])
    card = test_card(bank, tree[CITY])
    assert refusal(give_up_testing, officer, code=SHOP, reason=" ") is Code.REGISTRATION_VALUE
    with line_as(switch, TEST_NUMBER, SHOP + "T") as line:
        assert line.purchase(card.number, 100).approved
        give_up_testing(officer, code=SHOP, reason="软件未完成")
        assert line.purchase(card.number, 100).refusal == Code.INSTITUTION_NOT_ACTIVE.value
    assert Institution.objects.get(code=SHOP).state == "registered"
    assert refusal(give_up_testing, officer, code=SHOP, reason="再次") is Code.ONBOARDING_NOT_OPEN


@pytest.mark.req("S4")
def test_what_is_registered_is_checked_kept_and_changed(shop, desk):
    officer = desk("acquiring_officer")
    wrong = ({"contract_from": date(2026, 2, 1), "contract_to": date(2026, 1, 1)}, {"kind": "kiosk"}, {"name": " "})
    for details in (*wrong, {"phone": "1" * 31}, {"code": "X"}, {"address": "a\0b"}):
        assert refusal(update_institution, officer, **({"code": SHOP} | details)) in (
            Code.REGISTRATION_VALUE,
            Code.INSTITUTION_UNKNOWN,
        ), details
    assert refusal(update_institution, officer, code=SHOP, region="999999") is Code.REGION_UNKNOWN
    assert update_institution(officer, code=SHOP, phone="0898-0000", region="460106").phone == "0898-0000"
    assert refusal(update_terminal, officer, number="460100000009", latitude=91) is Code.REGISTRATION_VALUE
    assert str(update_terminal(officer, number="460100000009", latitude=20.0444).latitude) == "20.044"
    assert refusal(update_terminal, officer, number="460100000123", place="x") is Code.TERMINAL_UNKNOWN
    assert refusal(register_institution, officer, code="P" * 15, name="x") is Code.REGISTRATION_VALUE
    (spot,) = spots_of(officer)
    assert (spot.latitude, spot.seen) == (20.044, None)


@pytest.mark.req("S4")
def test_a_contract_that_has_ended_stops_the_activation(shop, desk):
    officer, supervisor = desk("acquiring_officer"), desk("acquiring_supervisor")
    today = timezone.localdate()
    update_institution(officer, code=SHOP, contract_from=today - timedelta(days=9), contract_to=today)
    Institution.objects.filter(code=SHOP).update(state="suspended")
    assert refusal(change_institution, supervisor, code=SHOP, verb="resume") is Code.CONTRACT_NOT_IN_FORCE
    update_institution(officer, code=SHOP, contract_to=today + timedelta(days=1))
    assert change_institution(supervisor, code=SHOP, verb="resume").state == "active"
    assert refusal(change_institution, supervisor, code=SHOP, verb="explode") is Code.REGISTRATION_VALUE


@pytest.mark.req("S4")
def test_closing_ends_terminals_test_side_and_certificates(shop, desk):
    officer, supervisor = desk("acquiring_officer"), desk("acquiring_supervisor")
    begin_testing(officer, code=SHOP, protocol="1.0", software="1", terminals=[TEST_NUMBER])
    give_up_testing(officer, code=SHOP, reason="不再开办")
    made = add_certificate(officer, code=SHOP, pem=certificate())
    change_institution(supervisor, code=SHOP, verb="close", reason="合同终止")
    made.refresh_from_db()
    closed = Institution.objects.get(test_of=shop)
    assert made.ended_at and closed.state == "closed"
    assert {row.state for row in [*shop.terminals.all(), *closed.terminals.all()]} == {"closed"}


@pytest.mark.req("S4")
def test_certificates_are_known_by_fingerprint_once(shop, desk):
    officer = desk("acquiring_officer")
    pem = certificate()
    made = add_certificate(officer, code=SHOP, pem=pem)
    assert len(made.fingerprint) == 64 and "partner" in made.subject
    assert refusal(add_certificate, officer, code=SHOP, pem=pem) is Code.CERTIFICATE_KNOWN
    for bad in ("", "x" * 20_000, "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", certificate(-1)):
        assert refusal(add_certificate, officer, code=SHOP, pem=bad) is Code.CERTIFICATE_UNREADABLE
    end_certificate(officer, code=SHOP, fingerprint=made.fingerprint, reason="更换")
    again = refusal(end_certificate, officer, code=SHOP, fingerprint=made.fingerprint, reason="更换")
    assert again is Code.CERTIFICATE_NOT_HERE


@pytest.mark.req("S4")
def test_a_citizens_card_does_not_become_a_test_card(bank, tree):
    code = refusal(name_test_card, bank.actor, card_number=bank.cards[0].number)
    assert code is Code.TEST_CARD_UNFIT, "its account holds a citizen's money"
    assert refusal(name_test_card, bank.actor, card_number="X00000000") is Code.TEST_CARD_UNFIT
    card = test_card(bank, tree[CITY])
    assert name_test_card(bank.actor, card_number=card.number).card_number == card.number


@pytest.mark.req("S4")
def test_another_city_sees_and_changes_nothing_of_it(shop, desk, appoint):
    far = appoint("far", "460200", "acquiring_officer")
    assert not registry_of(far).exists()
    assert refusal(update_institution, far, code=SHOP, phone="1") is Code.INSTITUTION_UNKNOWN
    assert (
        refusal(begin_testing, far, code=SHOP, protocol="1.0", software="1", terminals=[]) is Code.INSTITUTION_UNKNOWN
    )


@pytest.mark.req("S4")
def test_nobody_ticks_a_step_off_by_hand(shop, desk):
    begin_testing(desk("acquiring_officer"), code=SHOP, protocol="1.0", software="1", terminals=[TEST_NUMBER])
    terminal = Institution.objects.get(test_of=shop).terminals.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Trial.objects.create(terminal=terminal, at=timezone.now(), type="0800", amount=0, response_code="00", refusal=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        Institution.objects.filter(pk=shop.pk).update(test_of=terminal.institution)
    with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        cursor.execute("SELECT switch_trials_seen('{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}')")


@pytest.mark.req("S4")
def test_the_last_sign_of_life_is_that_of_the_last_transaction(bank, terminal):
    terminal.purchase(bank.cards[0].number, 100)
    row = Transaction.objects.select_related("terminal").latest("id")
    assert last_seen([row.terminal]) == {row.terminal_id: row.booked_at}
    assert last_seen([]) == {}


def certificate(days: int = 30) -> str:
    """A certificate of a partner's line, self-signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


MESSAGES = st.tuples(
    st.sampled_from(("0200", "0201", "0400", "0401", "0800")),
    st.sampled_from(("00", "25", "22", "51", "93", "A0")),
    st.sampled_from(("000000", "310000", "")),
    st.sampled_from(("1", "2")),
)


@pytest.mark.req("S4")
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(MESSAGES, max_size=12))
def test_more_messages_never_take_a_tick_away_and_order_matters(said):
    def trials(rows):
        return [
            Trial(
                pk=number,
                terminal_id=1,
                at=timezone.now(),
                type=kind,
                processing=processing,
                network="001",
                stan=stan,
                day="1122",
                response_code=code,
                refusal=0,
            )
            for number, (kind, code, processing, stan) in enumerate(rows, start=1)
        ]

    wanted = steps("iso8583")
    before: set[str] = set()
    for length in range(len(said) + 1):
        done = {tick.step.name for tick in ticked(wanted, trials(said[:length])) if tick.done}
        assert before <= done
        before = done
    names = [(kind, code, stan) for kind, code, _processing, stan in said]
    if "reversal_first" in before:
        assert any(
            kind[:2] == "04"
            and code == "25"
            and (later := names[at + 1 :])
            and any(one[0] in ("0200", "0201") and one[1] == "22" and one[2] == stan for one in later)
            for at, (kind, code, stan) in enumerate(names)
        )
