"""People come and go: what somebody who left, moved or was appointed twice could still do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actions.grant_role import end_grant, grant_role
from sheka.office.staff.actions.move_staff import leave_staff, rename_staff, return_staff, transfer_staff
from sheka.office.staff.actions.read_sign_ins import read_sign_ins
from sheka.office.staff.actions.start_again import end_sessions_of, unlock_staff
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.persons import person_digest
from sheka.office.staff.proofs import CODE
from sheka.office.staff.queries import (
    accounts_beside,
    actor_named,
    colleague,
    grant_with,
    grantable,
    grants_of,
    holders_of,
    people_of,
    roles_by_person,
)
from sheka.office.staff.sessions import running, session_in_force
from sheka.office.staff.sign_in import open_session
from sheka.office.staff.tries import NOWHERE
from sheka.office.work.items import open_work
from sheka.office.work.models import SearchTerm
from sheka.systems.cards.waiting import MAKE

WHY = "as agreed"


def person(login):
    return StaffMember.objects.select_related("organisation").get(login=login)


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value.code


@pytest.fixture
def boss(appoint):
    """The security administrator of Haikou."""
    return appoint("boss", "460100", "security_administrator")


def make(actor, **changes):
    given = {"login": "new-one", "name": "新人", "person_id": "460100", "organisation_code": "460100-01"}
    return appoint_staff(actor, **given | changes)


def test_an_account_is_made_without_password_role_or_number(boss):
    made = make(boss, name=" 新人 ")
    assert (made.name, made.has_usable_password()) == ("新人", False)
    assert made.person_id == person_digest("460100") != "460100"
    assert actor_named("new-one").permissions == {Permission.SELF_MANAGE, Permission.INCIDENT_REPORT}
    assert not Event.objects.filter(
        facts__contains="460100", event="staff.appointed", facts__icontains="person"
    ).exists()


def test_a_password_given_by_a_person_has_to_be_changed(boss, installer):
    assert make(boss, password="four unlike words here").must_change_password
    assert not make(installer, login="seeded", password="four unlike words here").must_change_password


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"login": "boss"}, Code.STAFF_EXISTS),
        ({"login": "New One"}, Code.STAFF_LOGIN),
        ({"login": "x" * 41}, Code.STAFF_LOGIN),
        ({"name": "  "}, Code.STAFF_NAME),
        ({"name": "a\u202eb"}, Code.STAFF_NAME),
        ({"organisation_code": "460200"}, Code.ORGANISATION_OUT_OF_REACH),
        ({"organisation_code": "460000"}, Code.ORGANISATION_OUT_OF_REACH),
        ({"password": "short"}, Code.PASSWORD_LENGTH),
    ],
)
def test_an_account_is_refused(boss, changes, code):
    with pytest.raises(Refused) as refused:
        make(boss, **changes)
    assert refused.value.code is code or refused.value.code is Code.ORGANISATION_UNKNOWN
    assert not StaffMember.objects.filter(login="new-one").exists()


def test_a_second_account_of_one_person_is_known_by_the_number_however_it_is_typed(boss):
    make(boss, person_id="11010519491231002x")
    second = make(boss, login="second", person_id=" 110105 19491231 002X ")
    assert accounts_beside(second) == 1


def test_a_transfer_ends_everything_held_and_both_offices_are_the_actors(appoint, installer, boss):
    clerk = appoint("clerk", "460100-01", "clerk")
    staff = person("clerk")
    session = open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    open_work(
        clerk,
        kind=MAKE,
        subject="card:D00000001",
        organisation="460100-01",
        permission=Permission.CARD_HAND_OUT,
        title_zh="待领取",
        title_en="To collect",
        assignee_id=staff.pk,
    )
    moved = transfer_staff(boss, staff=staff, organisation_code="460100-CC", reason=WHY)
    assert moved.organisation_id == "460100-CC"
    assert session_in_force(session.pk, staff.pk) is None
    assert actor_named("clerk").permissions == {Permission.SELF_MANAGE, Permission.INCIDENT_REPORT}
    event = Event.objects.get(event="staff.transferred")
    assert '"roles":["clerk"]' in event.facts and '"work":1' in event.facts and '"sessions":1' in event.facts
    assert refusal(transfer_staff, boss, staff=moved, organisation_code="460100-CC", reason=WHY) is (
        Code.STAFF_SAME_ORGANISATION
    )
    assert set(
        SearchTerm.objects.filter(kind="staff", key=str(moved.pk)).values_list("organisation_id", flat=True)
    ) == {"460100-CC"}
    province = appoint("province", "460000", "security_administrator")
    assert transfer_staff(province, staff=moved, organisation_code="460200", reason=WHY).organisation_id == "460200"
    assert refusal(transfer_staff, boss, staff=moved, organisation_code="460100", reason=WHY) is Code.STAFF_UNKNOWN


def test_whoever_leaves_is_out_at_once_and_returns_with_nothing(phone, boss, soft_key):
    phone("clerk", "460100-01", "clerk")
    soft_key("clerk")
    staff = person("clerk")
    session = open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    left = leave_staff(boss, staff=staff, reason=WHY)
    assert (left.is_active, left.left_on, left.has_usable_password()) == (False, timezone.localdate(), False)
    assert session_in_force(session.pk, staff.pk) is None
    assert not TOTPDevice.objects.filter(user=staff).exists()
    assert not staff.security_keys.filter(removed_at=None).exists()
    assert '"devices":2' in Event.objects.get(event="staff.left").facts
    assert refusal(leave_staff, boss, staff=staff, reason=WHY) is Code.STAFF_INACTIVE
    assert refusal(transfer_staff, boss, staff=staff, organisation_code="460100-CC", reason=WHY) is Code.STAFF_INACTIVE
    today = timezone.localdate()
    term = {"valid_from": today, "valid_to": today + timedelta(days=9)}
    assert refusal(grant_role, boss, staff=left, role="clerk", **term) is Code.STAFF_INACTIVE
    back = return_staff(boss, staff=left, reason=WHY)
    assert back.is_active and actor_named("clerk").permissions == {Permission.SELF_MANAGE, Permission.INCIDENT_REPORT}
    assert refusal(return_staff, boss, staff=back, reason=WHY) is Code.STAFF_ACTIVE


def test_an_own_account_is_in_the_hands_of_others(appoint, boss):
    second = appoint("boss-too", "460100", person="boss")
    for login in ("boss", "boss-too"):
        staff = person(login)
        assert refusal(leave_staff, boss, staff=staff, reason=WHY) is Code.STAFF_OWN_ACCOUNT
        assert refusal(rename_staff, boss, staff=staff, name="某人", reason=WHY) is Code.STAFF_OWN_ACCOUNT
        assert refusal(unlock_staff, boss, staff=staff, reason=WHY) is Code.STAFF_OWN_ACCOUNT
    assert second.may(Permission.SELF_MANAGE)


def test_a_name_changes_and_the_record_keeps_both(appoint, boss):
    appoint("clerk", "460100-01", "clerk")
    assert rename_staff(boss, staff=person("clerk"), name="新名", reason=WHY).name == "新名"
    assert "新名" in Event.objects.get(event="staff.renamed").facts
    assert refusal(rename_staff, boss, staff=person("clerk"), name="新名", reason="x") is Code.STAFF_REASON


def test_a_grant_ends_today_a_coming_one_never_begins_and_both_once(appoint, boss):
    appoint("clerk", "460100-01", "clerk")
    staff, today = person("clerk"), timezone.localdate()
    (running_grant,) = grants_of(staff)
    coming = grant_role(
        boss, staff=staff, role="clerk", valid_from=today + timedelta(days=30), valid_to=today + timedelta(days=60)
    )
    assert actor_named("clerk").may(Permission.CARD_HAND_OUT)
    assert end_grant(boss, grant=running_grant, reason=WHY).valid_to == today
    assert not actor_named("clerk").may(Permission.CARD_HAND_OUT)
    ended = end_grant(boss, grant=coming, reason=WHY)
    assert ended.valid_to == ended.valid_from
    assert refusal(end_grant, boss, grant=running_grant, reason=WHY) is Code.GRANT_ENDED
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert not actor_named("clerk").may(Permission.CARD_HAND_OUT)


def test_a_grant_counts_from_its_day_to_the_day_before_its_end(appoint, installer):
    appoint("clerk", "460100-01")
    grant_role(installer, staff=person("clerk"), role="clerk", valid_from=date(2026, 12, 1), valid_to=date(2026, 12, 3))
    held = []
    for day in range(1, 5):
        with time_machine.travel(f"2026-12-0{day}T00:30:00+08:00"):
            held.append(actor_named("clerk").may(Permission.CARD_LOSS))
    assert held == [True, True, False, False]


def test_a_lock_and_sessions_of_others_are_ended_with_a_reason(appoint, boss):
    appoint("clerk", "460100-01", "clerk")
    staff = person("clerk")
    assert refusal(unlock_staff, boss, staff=staff, reason=WHY) is Code.STAFF_NOT_LOCKED
    StaffMember.objects.filter(pk=staff.pk).update(locked_until=timezone.now() + timedelta(minutes=9))
    assert unlock_staff(boss, staff=person("clerk"), reason=WHY).locked_until is None
    open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    assert refusal(end_sessions_of, boss, staff=staff, reason=" ") is Code.STAFF_REASON
    assert running(staff).count() == 1
    assert end_sessions_of(boss, staff=staff, reason=WHY) == 1


def test_the_sign_ins_of_others_are_read_for_a_purpose_and_within_reach(appoint, boss):
    appoint("clerk", "460100-01", "clerk")
    staff = person("clerk")
    open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    rows, sessions = read_sign_ins(boss, staff=staff, purpose="asked by the person")
    assert [row.outcome for row in rows] == ["signed_in"] and len(sessions) == 1
    assert "asked by the person" in Event.objects.get(event="staff.sign_ins_read").facts
    assert refusal(read_sign_ins, boss, staff=staff, purpose="") is Code.STAFF_REASON
    elsewhere = appoint("sanya", "460200", "security_administrator")
    assert refusal(read_sign_ins, elsewhere, staff=staff, purpose=WHY) is Code.ORGANISATION_OUT_OF_REACH


def test_lists_end_at_the_own_subtree(appoint, boss):
    appoint("clerk", "460100-01", "clerk")
    appoint("stranger", "460200", "card_planner")
    assert {row.login for row in people_of(boss)} == {"boss", "clerk"}
    assert refusal(colleague, boss, "stranger") is Code.STAFF_UNKNOWN
    grant = Grant.objects.get(staff__login="stranger")
    assert refusal(grant_with, boss, person("stranger"), grant.pk) is Code.GRANT_UNKNOWN
    clerk = person("clerk")
    assert roles_by_person([clerk.pk]) == {clerk.pk: ["clerk"]}
    assert [row["staff"] for row in holders_of("clerk")] == [clerk.pk]


def test_what_can_be_granted_goes_with_what_is_held_on_every_account(appoint):
    appoint("one", "460100", "key_officer", person="same")
    appoint("two", "460100", person="same")
    offered = grantable(person("two"))
    assert "issuance_clerk" in offered
    assert not {"approver", "auditor", "custodian", "key_officer", "clerk"} & set(offered)
