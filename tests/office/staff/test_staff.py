"""Roles and signing in: rights end with their day, incompatible roles never meet in one person, guessing is stopped."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests.support.organisations import PLACES

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actions.grant_role import grant_role
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission, everybody, incompatible_pairs, matrix, role_levels, role_titles
from sheka.office.staff.proofs import CODE, prove_code
from sheka.office.staff.queries import actor_named, actor_of
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import session_in_force
from sheka.office.staff.sign_in import check_password, open_session
from sheka.office.staff.tries import NOWHERE

MANAGING = {permission for permission in Permission if permission.value.endswith(".manage")} - everybody()
TERM = {"valid_from": date(2026, 1, 1), "valid_to": date(2030, 1, 1)}


def person(login):
    return StaffMember.objects.get(login=login)


def test_rights_come_from_the_grants_of_today(appoint, tree):
    actor = appoint("officer", "460100", "key_officer")
    assert actor.may(Permission.KEY_IMPORT)
    assert not actor.may(Permission.KEY_DECIDE)
    Grant.objects.filter(staff__login="officer").update(valid_to=timezone.localdate())
    assert not actor_named("officer").may(Permission.KEY_IMPORT)


ADMINISTRATORS = ("system_administrator", "security_administrator", "business_administrator", "auditor")
FIELD = (
    "clerk",
    "reviewer",
    "approver",
    "card_producer",
    "key_officer",
    "custodian",
    "clearing_officer",
    *ADMINISTRATORS,
)
"""The roles of the field, by their names."""
HELD_BY_NO_ROLE = {
    Permission.CARD_TAKE_RIGHT,  # of the node's processes: the right moves with a message, never by a person's hand
    Permission.CARRIER_FILL,  # what stands on a carrier is written by the system that wrote the carrier
    Permission.TRANSACTION_SUBMIT,  # of an institution's own programs, over the API: no clerk pays with anybody's card
    Permission.KEY_CARRY_OUT,  # of a ceremony: no single person makes, exports, activates or destroys a key (K6)
}


def places_of(pair):
    """Two places where the roles of the pair can be granted, the same one when there is one."""
    shared = sorted(role_levels()[pair[0]] & role_levels()[pair[1]])
    return [PLACES[(shared or sorted(role_levels()[role]))[0]] for role in pair]


@pytest.mark.req("K6")
def test_two_roles_that_must_stay_apart_are_not_granted_to_one_person(appoint, installer):
    """Every pair of the policy, with an account of the same person for each role, in one order or the other."""
    for place in PLACES.values():
        for number in (0, 1):
            appoint(f"{place.lower()}-{number}", place, person="one-person")
    for number, pair in enumerate(sorted(map(sorted, incompatible_pairs()))):
        roles = pair if number % 2 else pair[::-1]
        codes = places_of(roles)
        grant_role(installer, staff=person(f"{codes[0].lower()}-0"), role=roles[0], **TERM)
        with pytest.raises(Refused) as refused:
            grant_role(installer, staff=person(f"{codes[1].lower()}-1"), role=roles[1], **TERM)
        assert refused.value.code is Code.ROLE_INCOMPATIBLE, roles
        Grant.objects.all().delete()


def test_roles_apart_in_time_do_not_meet(appoint, installer):
    appoint("one", "460100")
    grant_role(
        installer, staff=person("one"), role="key_officer", valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1)
    )
    later = {"valid_from": date(2027, 1, 1), "valid_to": date(2028, 1, 1)}
    assert grant_role(installer, staff=person("one"), role="approver", **later).role == "approver"


def test_a_role_needs_its_level_its_existence_its_time_and_another_granter(appoint, installer):
    appoint("officer", "460100")
    administrator = appoint("admin", "460100", "security_administrator")
    appoint("second-account", "460100", person="admin")
    cases = [
        (installer, "officer", "examiner", TERM, Code.ROLE_WRONG_LEVEL),
        (installer, "officer", "emperor", TERM, Code.ROLE_UNKNOWN),
        (administrator, "admin", "issuance_clerk", TERM, Code.ROLE_SELF_GRANT),
        (administrator, "second-account", "issuance_clerk", TERM, Code.ROLE_SELF_GRANT),
        (installer, "officer", "issuance_clerk", TERM | {"valid_to": TERM["valid_from"]}, Code.GRANT_TERM),
        (installer, "officer", "issuance_clerk", TERM | {"valid_to": date(2099, 1, 1)}, Code.GRANT_TERM),
    ]
    for granter, login, role, term, code in cases:
        with pytest.raises(Refused) as refused:
            grant_role(granter, staff=person(login), role=role, **term)
        assert refused.value.code is code, role


def test_every_role_of_the_field_is_there_and_the_administrators_are_apart():
    assert set(FIELD) <= set(matrix())
    for one, other in combinations(ADMINISTRATORS, 2):
        assert frozenset((one, other)) in incompatible_pairs()
        assert not (matrix()[one] & matrix()[other] & MANAGING), f"{one} and {other} hold the same key"
    for role in matrix():
        for apart in ("system_administrator", "security_administrator", "auditor"):
            assert role == apart or frozenset((role, apart)) in incompatible_pairs()


def test_every_permission_is_held_by_some_role():
    held = frozenset().union(*matrix().values())
    assert frozenset(Permission) - held == HELD_BY_NO_ROLE


def test_an_incompatible_pair_names_roles_that_exist_and_grant_something():
    for pair in incompatible_pairs():
        assert len(pair) == 2 and pair <= set(matrix())
    assert all(matrix()[role] - everybody() for role in matrix())
    assert all(title.zh and title.en for title in role_titles().values())


def test_one_who_left_may_nothing(appoint):
    appoint("leaver", "460100", "key_officer")
    StaffMember.objects.filter(login="leaver").update(is_active=False)
    with pytest.raises(Refused) as refused:
        actor_of(person("leaver"))
    assert refused.value.code is Code.STAFF_INACTIVE


def test_password_and_code_open_and_a_code_counts_once(appoint):
    appoint("clerk", "460100")
    device = TOTPDevice.objects.create(user=person("clerk"), name="phone", confirmed=True)
    staff = check_password("clerk", "a long pass phrase")
    code = f"{TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift).token():06d}"
    assert prove_code(staff, code, NOWHERE).pk == device.pk
    with pytest.raises(Refused) as again:
        prove_code(staff, code, NOWHERE)
    assert again.value.code is Code.SIGN_IN_FAILED
    opened = open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    assert session_in_force(opened.pk, staff.pk) == opened
    assert Event.objects.filter(event="staff.signed_in", subject="staff:clerk").count() == 1


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(appoint):
    appoint("clerk", "460100")
    answers = []
    for login in ("clerk", "nobody"):
        with pytest.raises(Refused) as refused:
            check_password(login, "wrong")
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


def test_repeated_failures_lock_the_account_for_a_time(appoint):
    appoint("clerk", "460100")
    TOTPDevice.objects.create(user=person("clerk"), name="phone", confirmed=True)
    for _ in range(rules().failures):
        with pytest.raises(Refused) as refused:
            check_password("clerk", "wrong")
    assert refused.value.code is Code.SIGN_IN_LOCKED
    with pytest.raises(Refused) as still:
        check_password("clerk", "a long pass phrase")
    assert still.value.code is Code.SIGN_IN_LOCKED
    StaffMember.objects.filter(login="clerk").update(locked_until=timezone.now() - timedelta(seconds=1))
    assert check_password("clerk", "a long pass phrase").login == "clerk"
    assert Event.objects.filter(event="staff.sign_in_failed").count() == rules().failures
