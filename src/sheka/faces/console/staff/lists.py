"""The list of people."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.filters import Rows
from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.lists import Column, Listing, Select, Text
from sheka.faces.console.telling import list_mark
from sheka.faces.console.words import language
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import role_titles
from sheka.office.staff.queries import holders_of, people_of, roles_by_person

UNUSABLE = "!"
"""What Django writes before a password that opens nothing."""


def state_of(staff: StaffMember) -> Stamp:
    """Open, locked, not started yet, or closed."""
    if not staff.is_active:
        return Stamp(_("Has left"), "still")
    if staff.locked_until and staff.locked_until > timezone.now():
        return Stamp(_("Locked"), "stop")
    if not staff.has_usable_password():
        return Stamp(_("Waits for enrolment"), "wait")
    return Stamp(_("In use"), "good")


def _by_state(rows: Rows, value: str, actor: Actor) -> Rows:
    locked = Q(locked_until__gt=timezone.now())
    if value == "left":
        return rows.filter(is_active=False)
    if value == "locked":
        return rows.filter(locked, is_active=True)
    waiting = Q(("password__startswith", UNUSABLE))
    return rows.filter(waiting if value == "waiting" else ~waiting & ~locked, is_active=True)


def _by_role(rows: Rows, value: str, actor: Actor) -> Rows:
    return rows.filter(pk__in=holders_of(value))


def _roles(actor: Actor) -> list[tuple[str, str]]:
    return [(role, title.text(language())) for role, title in role_titles().items()]


def _gather(rows: list[Any], actor: Actor) -> None:
    held = roles_by_person([row.pk for row in rows])
    for row in rows:
        row.roles = held.get(row.pk, [])


def _role_names(row: StaffMember) -> str:
    titles = role_titles()
    return list_mark().join(titles[role].text(language()) for role in row.roles if role in titles)


PEOPLE = Listing(
    name="people",
    title=_("People"),
    columns=[
        Column("name", _("Full name"), lambda row: row.name, sort="name",
               link=lambda row: reverse("console:staff_person", args=[row.login])),
        Column("login", _("Log-in name"), lambda row: row.login, sort="login", kind="number"),
        Column("organisation", _("Organisation"), lambda row: row.organisation.label(language()),
               sort="organisation__path"),
        Column("roles", _("Roles today"), _role_names),
        Column("state", _("Account"), state_of),
        Column("last", _("Last sign-in"), lambda row: row.last_in, sort="last_in", kind="whole"),
    ],
    filters=[
        Text("text", _("Name or log-in name"), ("name", "login")),
        Select("role", _("Role"), _roles, narrow=_by_role, all=_("All roles")),
        Select("state", _("Account"), [("open", _("In use")), ("locked", _("Locked")),
                                       ("waiting", _("Waits for enrolment")), ("left", _("Has left"))],
               narrow=_by_state, all=_("All accounts")),
    ],
    rows=lambda actor: people_of(actor).annotate(last_in=Max("sessions__started_at")),
    gather=_gather,
    default_sort="organisation",
    personal=True,
    empty_title=_("Nobody found"),
    empty_text=_("People of your organisation and of those below it appear here."),
)  # fmt: skip
