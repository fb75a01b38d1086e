"""What the office itself lets be found: its organisations, its people, its work."""

from __future__ import annotations

from django.db.models import Q

from sheka.foundation.terms import Term
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import kind_named
from sheka.office.work.models import WorkItem
from sheka.office.work.queries import sees
from sheka.office.work.search import LAST, MOST, Asked, Found, finder, named_like
from sheka.office.work.states import NOT_DONE

ORGANISATION, STAFF = "organisation", "staff"


def find_organisations(actor: Actor, asked: Asked) -> list[Found]:
    """Organisations below the actor's by name, pinyin or code."""
    named = Q(code__in=named_like(ORGANISATION, asked)) | Q(code=asked.text.upper())
    rows = Organisation.objects.filter(named, path__within=actor.path).select_related("parent").order_by("path")
    return [
        Found(
            name=row.name,
            number=row.code,
            note=Term(row.parent.name, row.parent.name_en) if row.parent else "",
            address=("console:staff_organisation", row.code),
            exact=row.code == asked.text.upper(),
        )
        for row in rows[: MOST + 1]
    ]


def find_staff(actor: Actor, asked: Asked) -> list[Found]:
    """People of the actor's organisation and below by name, pinyin or log-in name."""
    keys = [int(key) for key in named_like(STAFF, asked)]
    rows = StaffMember.objects.filter(
        Q(pk__in=keys) | Q(login=asked.text.lower()), organisation__path__within=actor.path
    )
    return [
        Found(
            name=row.name,
            number=row.login,
            note=Term(row.organisation.name, row.organisation.name_en),
            state=Term("在岗", "active") if row.is_active else Term("已停用", "closed"),
            tone="good" if row.is_active else "still",
            address=("console:staff_person", row.login) if actor.may(Permission.STAFF_VIEW) else None,
            exact=row.login == asked.text.lower(),
        )
        for row in rows.select_related("organisation").order_by("name", "pk")[: MOST + 1]
    ]


finder("organisations", Term("机构", "Organisations"), find_organisations, needs=(Permission.ORGANISATION_VIEW,))
finder("staff", Term("工作人员", "Members of staff"), find_staff, needs=(Permission.STAFF_VIEW, Permission.WORK_ASSIGN))


def find_work(actor: Actor, asked: Asked) -> list[Found]:
    """Open work about a case by the beginning of its number, as far as the actor sees it."""
    if not asked.is_number:
        return []
    rows = WorkItem.objects.filter(state__in=NOT_DONE, number__gte=asked.text, number__lt=asked.text + LAST)
    found = [
        item
        for item in rows.select_related("organisation", "assignee").order_by("number", "pk")[:100]
        if sees(actor, item)
    ]
    return [
        Found(
            name=kind_named(item.kind).title,
            number=item.number,
            note=Term(item.title_zh, item.title_en),
            address=("console:work_item", item.pk),
        )
        for item in found[: MOST + 1]
    ]


finder("work", Term("待办", "Work"), find_work, needs=(Permission.WORK_USE,))
