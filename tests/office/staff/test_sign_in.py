"""Signing in and staying in: tries that are counted, names that are not told apart, sessions that end."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.scope import acting_in
from sheka.office.staff.actions.start_again import end_own_session
from sheka.office.staff.models import AttemptWindow, SignIn, StaffMember, StaffSession
from sheka.office.staff.proofs import CODE, prove_code
from sheka.office.staff.queries import actor_of, own_sign_ins
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import ends_at, running, seen, session_in_force
from sheka.office.staff.sign_in import (
    check_password,
    close_session,
    code_shown_in_demo,
    open_session,
    seconds_to_next_code,
)
from sheka.office.staff.tries import NOWHERE, Visit, must_be_let_in

PASSWORD = "a long pass phrase"
DESK = Visit("203.0.113.7", "Mozilla/5.0 Firefox/140.0")
NOON = "2026-11-20T12:00:00+08:00"


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value


def person(login):
    return StaffMember.objects.select_related("organisation").get(login=login)


@pytest.fixture
def clerk(phone):
    """An account with a phone: the row, and its codes."""
    _actor, code = phone("clerk", "460100-01", "clerk")
    return person("clerk"), code


def test_no_answer_says_which_names_exist(clerk):
    """A known name, an unknown one and one that left: the same answers, try by try, up to the lock."""
    staff, _code = clerk
    with time_machine.travel(NOON):
        known = [str(refusal(check_password, "clerk", "wrong")) for _ in range(rules().failures + 1)]
        unknown = [str(refusal(check_password, "nobody", "wrong")) for _ in range(rules().failures + 1)]
        StaffMember.objects.filter(pk=staff.pk).update(is_active=False)
        left = [str(refusal(check_password, "clerk", PASSWORD)) for _ in range(rules().failures + 1)]
    assert known == unknown == left
    assert not AttemptWindow.objects.filter(subject__contains="nobody").exists()


def test_the_right_password_without_a_second_factor_opens_nothing(appoint):
    appoint("bare", "460100")
    assert refusal(check_password, "bare", "wrong").code is Code.SIGN_IN_FAILED
    assert refusal(check_password, "bare", PASSWORD).code is Code.SIGN_IN_NO_FACTOR


def test_an_address_that_fails_too_often_is_shut_out_for_every_name(clerk):
    with time_machine.travel(NOON):
        for number in range(rules().address_failures):
            refusal(check_password, f"guess-{number}", "wrong", DESK)
        assert refusal(check_password, "clerk", PASSWORD, DESK).code is Code.SIGN_IN_TOO_MANY
        assert refusal(must_be_let_in, DESK).code is Code.SIGN_IN_TOO_MANY
        assert check_password("clerk", PASSWORD, Visit("203.0.113.8")).login == "clerk"
    with time_machine.travel("2026-11-20T12:15:01+08:00"):
        assert check_password("clerk", PASSWORD, DESK).login == "clerk"


def test_every_try_is_in_the_history_of_the_person_only(clerk):
    staff, _code = clerk
    refusal(check_password, "clerk", "wrong", DESK)
    refusal(prove_code, staff, "123", DESK)
    open_session(staff, factor=CODE, visit=DESK, key="k")
    actor = actor_of(staff)
    assert [(row.factor, row.outcome, row.address) for row in own_sign_ins(actor)] == [
        ("code", "signed_in", DESK.address),
        ("code", "failed", DESK.address),
        ("password", "failed", DESK.address),
    ]
    with acting_in("o000000.o460000.o460200"):
        assert not SignIn.objects.exists() and not StaffSession.objects.exists()


def test_a_session_idles_out_and_grows_old(clerk):
    staff, _code = clerk
    with time_machine.travel(NOON, tick=False) as clock:
        session = open_session(staff, factor=CODE, visit=DESK, key="k")
        clock.shift(rules().idle - timedelta(seconds=1))
        assert session_in_force(session.pk, staff.pk)
        clock.shift(1)
        assert session_in_force(session.pk, staff.pk) is None
    with time_machine.travel(NOON, tick=False) as clock:
        session = open_session(staff, factor=CODE, visit=DESK, key="k2")
        for _ in range(int(rules().absolute / timedelta(minutes=10)) - 1):
            clock.shift(timedelta(minutes=10))
            seen(session)
            assert session_in_force(session.pk, staff.pk)
        assert ends_at(session) == session.started_at + rules().absolute
        clock.shift(timedelta(minutes=10))
        assert session_in_force(session.pk, staff.pk) is None


def test_a_busy_reader_costs_a_write_now_and_then(clerk, django_assert_num_queries):
    staff, _code = clerk
    with time_machine.travel(NOON, tick=False) as clock:
        session = open_session(staff, factor=CODE, visit=DESK, key="k")
        with django_assert_num_queries(0):
            seen(session)
        clock.shift(31)
        with django_assert_num_queries(1):
            seen(session)
            seen(session)


def test_one_session_too_many_ends_the_oldest(clerk):
    staff, _code = clerk
    opened = []
    for number in range(rules().sessions_at_once + 1):
        with time_machine.travel(timezone.now() + timedelta(seconds=number)):
            opened.append(open_session(staff, factor=CODE, visit=DESK, key=str(number)))
    assert {row.pk for row in running(staff)} == {row.pk for row in opened[1:]}
    assert StaffSession.objects.get(pk=opened[0].pk).end_reason == "too_many"


def test_a_lock_ends_the_sessions_and_forgets_their_browsers(clerk):
    staff, _code = clerk
    Session.objects.create(session_key="k", session_data="", expire_date=timezone.now() + timedelta(hours=1))
    session = open_session(staff, factor=CODE, visit=DESK, key="k")
    for _ in range(rules().failures):
        refusal(check_password, "clerk", "wrong")
    assert session_in_force(session.pk, staff.pk) is None
    assert not Session.objects.filter(session_key="k").exists()


def test_a_session_is_of_one_person_and_ends_once(clerk, appoint):
    staff, _code = clerk
    session = open_session(staff, factor=CODE, visit=DESK, key="k")
    other = appoint("other", "460100-01")
    assert session_in_force(session.pk, other.staff_id) is None
    assert session_in_force(None, staff.pk) is None
    assert refusal(end_own_session, other, session=str(session.pk)).code is Code.SESSION_ENDED
    end_own_session(actor_of(staff), session=str(session.pk))
    assert refusal(end_own_session, actor_of(staff), session=str(session.pk)).code is Code.SESSION_ENDED
    close_session(staff, None)


def test_the_demo_shows_codes_that_are_accepted_and_says_when_it_has_none(clerk):
    staff, _code = clerk
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(2):
            prove_code(staff, code_shown_in_demo(staff), NOWHERE)
        assert code_shown_in_demo(staff) is None
        wait = seconds_to_next_code(staff)
        assert 0 < wait <= 30
        clock.shift(wait)
        assert seconds_to_next_code(staff) == 0
        prove_code(staff, code_shown_in_demo(staff), NOWHERE)
