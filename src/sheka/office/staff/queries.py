"""Reading staff and what they may do today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant, SignIn, StaffMember
from sheka.office.staff.permissions import everybody, incompatible_pairs, matrix, role_levels


def roles_of(staff: StaffMember) -> list[str]:
    """The roles that count today, in order of their names."""
    today = timezone.localdate()
    return sorted({grant.role for grant in staff.grants.filter(Grant.on(today))})


def actor_of(staff: StaffMember, session: str = "") -> Actor:
    """What this person may do now, in this session.

    Raises Refused: STAFF_INACTIVE for one who has left, ORGANISATION_NOT_IN_FORCE where the organisation is closed.
    """
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    staff.organisation.must_be_in_force(timezone.localdate())
    granted = everybody().union(*(matrix().get(role, frozenset()) for role in roles_of(staff)))
    return Actor(staff.pk, staff.name, staff.organisation_id, staff.organisation.path, granted, session)


def actor_named(login: str) -> Actor:
    """The actor with this log-in name. Raises Refused(STAFF_UNKNOWN)."""
    try:
        return actor_of(StaffMember.objects.select_related("organisation").get(login=login))
    except StaffMember.DoesNotExist:
        raise Refused(Code.STAFF_UNKNOWN, name=login) from None


def person_of(staff_id: int) -> str:
    """Which person an account belongs to: two accounts of one person are one decider."""
    with whole_node("the account may stand in an organisation of another level"):
        return StaffMember.objects.values_list("person_id", flat=True).get(pk=staff_id)


def staff_with(staff_id: int) -> StaffMember:
    """The account with this id, with its organisation. Raises Refused(STAFF_UNKNOWN)."""
    found = StaffMember.objects.select_related("organisation").filter(pk=staff_id).first()
    if found is None:
        raise Refused(Code.STAFF_UNKNOWN, name=staff_id)
    return found


def people_of(actor: Actor) -> QuerySet[StaffMember]:
    """The accounts of the actor's organisation and of all below it, closed ones too."""
    return StaffMember.objects.select_related("organisation").filter(organisation__path__within=actor.path)


def roles_by_person(staff_ids: list[int]) -> dict[int, list[str]]:
    """Account → the roles that count today, for a page of a list."""
    found: dict[int, list[str]] = {}
    rows = Grant.objects.filter(Grant.on(timezone.localdate()), staff__in=staff_ids).order_by("role")
    for staff_id, role in rows.values_list("staff_id", "role").distinct():
        found.setdefault(staff_id, []).append(role)
    return found


def holders_of(role: str) -> QuerySet[Grant, Any]:
    """The accounts that hold the role today, as a part of another query."""
    return Grant.objects.filter(Grant.on(timezone.localdate()), role=role).values("staff")


def colleague(actor: Actor, login: str) -> StaffMember:
    """An account within the actor's reach. Raises Refused(STAFF_UNKNOWN), also for one that exists elsewhere."""
    found = people_of(actor).filter(login=login).first()
    if found is None:
        raise Refused(Code.STAFF_UNKNOWN, name=login)
    return found


def grants_of(staff: StaffMember) -> list[Grant]:
    """Every grant, the latest first: what counts today, what will, and what did."""
    return list(staff.grants.order_by("-valid_to", "-valid_from", "role"))


def grant_with(actor: Actor, staff: StaffMember, number: int) -> Grant:
    """A grant of this person. Raises Refused(GRANT_UNKNOWN)."""
    found = Grant.objects.select_related("staff__organisation").filter(pk=number, staff=staff).first()
    if found is None or not actor.reaches(found.staff.organisation):
        raise Refused(Code.GRANT_UNKNOWN)
    return found


def grantable(staff: StaffMember) -> list[str]:
    """The roles of this level that go with what the person holds today, over all accounts of the person."""
    today = timezone.localdate()
    with whole_node("the accounts of one person may stand in any organisation"):
        held = set(
            Grant.objects.filter(Grant.on(today), staff__person_id=staff.person_id).values_list("role", flat=True)
        )
    return [
        role
        for role, levels in role_levels().items()
        if staff.organisation.kind in levels
        and role not in held
        and not any(frozenset((role, other)) in incompatible_pairs() for other in held)
    ]


def accounts_beside(staff: StaffMember) -> int:
    """How many other accounts the same person has, anywhere."""
    with whole_node("the accounts of one person may stand in any organisation"):
        return StaffMember.objects.filter(person_id=staff.person_id).exclude(pk=staff.pk).count()


@dataclass(frozen=True, slots=True)
class Device:
    """A second factor as a page lists it: `kind` is code or key, `number` names it within its kind."""

    kind: str
    number: int
    label: str
    made_at: datetime | None
    used_at: datetime | None
    locked: bool


def devices_of(staff: StaffMember) -> list[Device]:
    """What the account holds, authenticators first; a locked key is still listed."""
    phones = TOTPDevice.objects.filter(user=staff, confirmed=True).order_by("pk")
    keys = staff.security_keys.filter(removed_at=None)
    return [
        *(Device("code", phone.pk, phone.name, phone.created_at, phone.last_used_at, False) for phone in phones),
        *(Device("key", key.pk, key.label, key.made_at, key.last_used_at, bool(key.locked_at)) for key in keys),
    ]


def pending_device(staff: StaffMember) -> TOTPDevice | None:
    """The authenticator that was begun and not confirmed yet."""
    return TOTPDevice.objects.filter(user=staff, confirmed=False).first()


def recovery_codes_left(staff: StaffMember) -> int:
    return staff.recovery_codes.filter(used_at=None).count()


def sign_ins_of(staff: StaffMember) -> QuerySet[SignIn]:
    """The history of the person's sign-ins in the present organisation."""
    return SignIn.objects.filter(staff=staff)


def own_sign_ins(actor: Actor) -> QuerySet[SignIn]:
    return SignIn.objects.filter(staff_id=actor.staff_id)


def logins_among(logins: Iterable[str]) -> set[str]:
    """Which of these log-in names there are."""
    return set(StaffMember.objects.filter(login__in=list(logins)).values_list("login", flat=True))
