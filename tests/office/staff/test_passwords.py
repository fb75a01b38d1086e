"""Passwords: what may be one, what is remembered, and that nobody chooses one for another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actions.own_account import change_password
from sheka.office.staff.models import StaffMember
from sheka.office.staff.passwords import check_new_password
from sheka.office.staff.proofs import CODE
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import running
from sheka.office.staff.sign_in import open_session
from sheka.office.staff.tries import NOWHERE

OLD = "a long pass phrase"


@pytest.fixture
def holder(appoint):
    """An actor, and the row."""
    actor = appoint("zhang-wei", "460100")
    return actor, StaffMember.objects.get(pk=actor.staff_id)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", Code.PASSWORD_LENGTH),
        ("x" * 129, Code.PASSWORD_LENGTH),
        ("q1w2e3r4t5y6", Code.PASSWORD_COMMON),
        ("my name is zhang-wei", Code.PASSWORD_ABOUT_HOLDER),
        ("ＺＨＡＮＧ－ＷＥＩ and more", Code.PASSWORD_ABOUT_HOLDER),
        ("zhang-wei 员 forever", Code.PASSWORD_ABOUT_HOLDER),
        ("ababababababab", Code.PASSWORD_ABOUT_HOLDER),
        (OLD, Code.PASSWORD_USED),
    ],
)
def test_a_password_is_refused_for_its_reason(holder, password, code):
    with pytest.raises(Refused) as refused:
        check_new_password(holder[1], password)
    assert refused.value.code is code


@pytest.mark.parametrize("password", ["correct horse battery", "湘江北去橘子洲头看万山红遍", "  spaces kept  "])
def test_length_is_all_that_is_asked(holder, password):
    check_new_password(holder[1], password)


def test_the_last_five_are_remembered_and_no_more(holder):
    actor, staff = holder
    words = [f"another phrase number {number}" for number in range(rules().passwords_remembered)]
    current = OLD
    for word in words:
        change_password(actor, current=current, new=word)
        current = word
    staff.refresh_from_db()
    assert staff.passwords_used.count() == rules().passwords_remembered - 1
    for word in words:
        with pytest.raises(Refused) as refused:
            check_new_password(staff, word)
        assert refused.value.code is Code.PASSWORD_USED
    check_new_password(staff, OLD)


def test_a_new_password_ends_the_other_sessions(holder):
    actor, staff = holder
    here = open_session(staff, factor=CODE, visit=NOWHERE, key="here")
    open_session(staff, factor=CODE, visit=NOWHERE, key="there")
    own = actor.__class__(**{**{name: getattr(actor, name) for name in actor.__slots__}, "session": str(here.pk)})
    change_password(own, current=OLD, new="four unlike words here")
    assert [row.pk for row in running(staff)] == [here.pk]


def test_the_present_password_must_be_known_and_failures_count(holder):
    actor, staff = holder
    for number in range(rules().failures):
        with pytest.raises(Refused) as refused:
            change_password(actor, current="wrong", new="four unlike words here")
        last = number == rules().failures - 1
        assert refused.value.code is (Code.SIGN_IN_LOCKED if last else Code.CONFIRMATION_FAILED)
    staff.refresh_from_db()
    assert staff.check_password(OLD)


@given(st.text(min_size=12, max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_whatever_breaks_the_check(text):
    staff = StaffMember(login="zhang-wei", name="张伟")
    staff.set_unusable_password()
    try:
        check_new_password(staff, text)
    except Refused as refused:
        assert refused.code in (Code.PASSWORD_COMMON, Code.PASSWORD_ABOUT_HOLDER)
