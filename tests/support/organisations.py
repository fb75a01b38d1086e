"""A small tree of organisations with people in it, on the real database."""

from __future__ import annotations

from datetime import date

import pytest

from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of

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
    """Ministry, Hainan, Haikou with a district, an outlet and its card centre, Sanya."""
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
