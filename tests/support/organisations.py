"""A small tree of organisations with people in it, on the real database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from sheka.foundation.crypto.sm3 import sm3
from sheka.office.audit.models import Event
from sheka.office.audit.trail import COLUMNS, GENESIS, body_of
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of
from sheka.office.work.models import SearchTerm

TREE = (
    ("000000", "部级机构", "Ministry", "ministry", "000000", None),
    ("460000", "海南省", "Hainan", "province", "460000", "000000"),
    ("460100", "海口市", "Haikou", "city", "460100", "460000"),
    ("460200", "三亚市", "Sanya", "city", "460200", "460000"),
    ("460107", "琼山区", "Qiongshan", "district", "460107", "460100"),
    ("460100-01", "龙华网点", "Longhua outlet", "outlet", "460106", "460100"),
    ("460100-CC", "卡中心服务网点", "Card centre outlet", "card_centre", "460100", "460100"),
)
PLACES = {
    "ministry": "000000",
    "province": "460000",
    "city": "460100",
    "district": "460107",
    "outlet": "460100-01",
    "card_centre": "460100-CC",
}
"""A place of each kind."""


@pytest.fixture
def installer(db):
    """The process that sets up a new node."""
    return Actor(None, "process:installer", "000000", "o000000", frozenset(Permission))


@pytest.fixture
def tree(installer):
    """Ministry, Hainan, Haikou with a district, an outlet and its card centre, Sanya.

    The first test of a process makes them by their action; from then on the rows that it wrote are written again at
    once (`test_tree.py` compares them), since a thousand tests begin like this.
    """
    if Event.objects.exists() or Organisation.objects.exists():
        return by_action(installer)
    if not _kept:
        made = by_action(installer)
        _kept.append(Kept.of_now())
        return made
    return _kept[0].planted()


@dataclass(frozen=True)
class Kept:
    """The rows of the tree in an empty database, without their keys and times: organisations, words, audit."""

    places: list[dict[str, object]]
    words: list[dict[str, object]]
    events: list[tuple[object, ...]]

    @classmethod
    def of_now(cls):
        words = SearchTerm.objects.order_by("pk").values("kind", "key", "organisation_id", "term")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {COLUMNS} FROM audit_event ORDER BY sequence")
            events = [row[2:8] for row in cursor.fetchall()]
        return cls(list(Organisation.objects.values()), list(words), events)

    def planted(self):
        """Write them; the organisations by their codes."""
        rows = {row["code"]: row for row in self.places}
        made = {code: Organisation(**rows[code]) for code, *_ in TREE}
        for one in made.values():
            one.parent = made.get(one.parent_id)
        Organisation.objects.bulk_create(made.values())
        SearchTerm.objects.bulk_create(SearchTerm(**row) for row in self.words)
        previous, values = GENESIS, []
        for sequence, row in enumerate(self.events, start=1):
            body = (sequence, datetime.now(UTC), *row)
            values += [*body, previous, previous := sm3(previous + body_of(body))]
        holes = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(self.events))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO audit_event ({COLUMNS}) VALUES {holes}", values)
        return made


_kept: list[Kept] = []


def by_action(installer):
    """The organisations by their codes, each added by the installer."""
    return {
        code: add_organisation(
            installer,
            code=code,
            name=name,
            name_en=english,
            kind=kind,
            region=region,
            parent=parent,
            valid_from=date(2026, 1, 1),
        )
        for code, name, english, kind, region, parent in TREE
    }


@pytest.fixture
def appoint(installer, tree, settings):
    """appoint(login, organisation, *roles) → the actor, with the roles granted for ten years."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # strength costs 0.3 s an account

    def make(login, organisation, *roles, person=None):
        staff = appoint_staff(
            installer,
            login=login,
            name=f"{login} 员",
            person_id=person or login,
            organisation_code=organisation,
            password="a long pass phrase",
        )
        for role in roles:
            Grant.objects.create(
                staff=staff, role=role, valid_from=date(2020, 1, 1), valid_to=date(2036, 1, 1), granted_by="test"
            )
        return actor_of(staff)

    return make
