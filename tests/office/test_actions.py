"""The frame of every action: without the right nothing starts, without an audit row nothing stays."""

from __future__ import annotations

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.models import Event
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.permissions import Permission


@action(Permission.ORGANISATION_MANAGE)
def rename_silently(actor, *, code, name):
    Organisation.objects.filter(code=code).update(name=name)


@action(Permission.ORGANISATION_MANAGE)
def rename(actor, *, code, name):
    Organisation.objects.filter(code=code).update(name=name)
    record(actor, "organisation.renamed", f"organisation:{code}", name=name)


@pytest.mark.django_db(transaction=True)
def test_a_change_without_an_audit_row_is_rolled_back(tree, installer):
    with pytest.raises(Refused) as refused:
        rename_silently(installer, code="460100", name="别名")
    assert refused.value.code is Code.ACTION_WITHOUT_AUDIT
    assert Organisation.objects.get(code="460100").name == "海口市"


def test_an_action_with_its_audit_row_stays_and_names_who_did_it(tree, installer):
    rename(installer, code="460100", name="海口市社会保障卡管理中心")
    last = Event.objects.order_by("-sequence").first()
    assert (last.event, last.actor, last.subject) == ("organisation.renamed", installer.name, "organisation:460100")


def test_an_actor_without_the_right_changes_nothing(appoint):
    auditor = appoint("auditor", "460100", "auditor")
    before = Event.objects.count()
    with pytest.raises(Refused) as refused:
        rename(auditor, code="460100", name="别名")
    assert refused.value.code is Code.PERMISSION_MISSING
    assert Organisation.objects.get(code="460100").name == "海口市"
    assert Event.objects.count() == before


def test_an_audit_row_of_an_outer_action_does_not_excuse_an_inner_one(tree, installer):
    @action(Permission.ORGANISATION_MANAGE)
    def outer(actor):
        record(actor, "outer", "organisation:460100")
        rename_silently(actor, code="460100", name="别名")

    with pytest.raises(Refused) as refused:
        outer(installer)
    assert refused.value.facts["action"] == "rename_silently"
