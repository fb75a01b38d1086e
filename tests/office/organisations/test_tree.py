"""The tree says who acts for whom: a city's clerk never reaches its neighbour or its superior."""

from __future__ import annotations

from datetime import date

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.models import Organisation


def test_a_subtree_is_found_by_its_path(tree):
    below = Organisation.objects.filter(path__within=tree["460000"].path).values_list("code", flat=True)
    assert sorted(below) == ["460000", "460100", "460100-01", "460100-CC", "460107", "460200"]


@pytest.mark.parametrize(
    ("own", "other", "reached"),
    [
        ("460100", "460100", True),
        ("460000", "460100", True),
        ("000000", "460200", True),
        ("460100", "460200", False),
        ("460100", "460000", False),
    ],
)
def test_an_actor_reaches_its_own_subtree_only(appoint, tree, own, other, reached):
    assert appoint("one", own).reaches(tree[other]) is reached


def test_a_path_that_only_starts_alike_is_not_below(appoint, tree, installer):
    similar = add_organisation(
        installer,
        code="4601001",
        name="相似代码",
        name_en="Alike",
        kind="outlet",
        region="460100",
        parent="460000",
        valid_from=date(2026, 1, 1),
    )
    assert not appoint("one", "460100").reaches(similar)


def test_a_code_is_used_once_and_only_the_root_has_no_superior(tree, installer):
    same = {"name": "x", "name_en": "x", "kind": "city", "region": "460100", "valid_from": date(2026, 1, 1)}
    with pytest.raises(Refused) as twice:
        add_organisation(installer, code="460100", parent="460000", **same)
    with pytest.raises(Refused) as orphan:
        add_organisation(installer, code="460300", parent=None, **same)
    assert (twice.value.code, orphan.value.code) == (Code.ORGANISATION_EXISTS, Code.ORGANISATION_NEEDS_PARENT)


def test_an_administrator_adds_nothing_outside_the_own_subtree(appoint):
    administrator = appoint("admin", "460100", "business_administrator")
    with pytest.raises(Refused) as refused:
        add_organisation(
            administrator,
            code="460200-01",
            name="x",
            name_en="x",
            kind="outlet",
            region="460200",
            parent="460200",
            valid_from=date(2026, 1, 1),
        )
    assert refused.value.code is Code.ORGANISATION_OUT_OF_REACH
