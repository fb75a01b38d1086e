"""Destruction before two witnesses, with minutes; a virtual carrier is overwritten (K6, K8)."""

import pytest
from django.db import ProgrammingError, transaction
from tests.support.approvals import present

from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.systems.custody.actions.destroy_carriers import (
    close_carrier_destruction,
    give_up_carrier_destruction,
    issue_destruction_minutes,
    list_destruction,
    witness_carrier_destruction,
)
from sheka.systems.custody.drawer import virtual_serials
from sheka.systems.custody.jobs import days
from sheka.systems.custody.models import Carrier, CarrierDestruction
from sheka.systems.custody.queries import carrier, destruction, destruction_holds


@pytest.fixture
def listed(people, at_province):
    """Both carriers of Hainan on a list of destruction."""
    return list_destruction(people["p-keeper"], serials=at_province, method="shred", reason="密钥到期")


def witness(actor, row):
    present(actor, row.list_digest)
    return witness_carrier_destruction(actor, number=row.number, digest=row.list_digest)


@pytest.mark.req("K6", "K8")
def test_two_witnesses_see_exactly_this_list(people, at_province, listed, django_capture_on_commit_callbacks):
    keeper = people["p-keeper"]
    for code, call in (
        (Code.CARRIER_WITNESS, lambda: close_carrier_destruction(keeper, number=listed.number)),
        (Code.PERMISSION_MISSING, lambda: witness(keeper, listed)),
        (
            Code.CONFIRMATION_NEEDED,
            lambda: witness_carrier_destruction(people["p-auditor"], number=listed.number, digest=listed.list_digest),
        ),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code is code
    witness(people["p-auditor"], listed)
    with pytest.raises(Refused) as refused:
        witness(people["p-auditor"], listed)
    assert refused.value.code is Code.CUSTODY_SAME_PERSON
    witness(people["p-approver"], listed)
    with django_capture_on_commit_callbacks(execute=True):
        close_carrier_destruction(keeper, number=listed.number)
    carry_all()
    assert {carrier(keeper, serial).state for serial in at_province} == {"destroyed"}
    assert {carrier(people["m-keeper"], serial).state for serial in at_province} == {"destroyed"}
    assert not set(at_province) & set(virtual_serials())
    closed = destruction(keeper, listed.number)
    assert destruction_holds(closed)
    with pytest.raises(ProgrammingError), transaction.atomic():
        CarrierDestruction.objects.filter(pk=closed.pk).update(method="crush")


@pytest.mark.req("K8")
def test_the_minutes_are_a_paper(people, at_province, listed):
    for login in ("p-auditor", "p-approver"):
        witness(people[login], listed)
    with pytest.raises(Refused):
        issue_destruction_minutes(people["p-keeper"], number=listed.number)
    close_carrier_destruction(people["p-keeper"], number=listed.number)
    paper = issue_destruction_minutes(people["p-keeper"], number=listed.number)
    assert (paper.media_type, paper.subject) == ("application/pdf", f"carrier_destruction:{listed.number}")


def test_a_list_given_up_frees_its_carriers_and_a_changed_one_is_not_witnessed(people, at_province, listed):
    with pytest.raises(Refused) as refused:
        list_destruction(people["p-keeper"], serials=at_province, method="shred", reason="密钥到期")
    assert refused.value.code is Code.CARRIER_NOT_IN_HAND
    Carrier.objects.filter(serial=at_province[0]).update(content=[{"name": "X"}])
    with pytest.raises(Refused) as refused:
        witness(people["p-auditor"], listed)
    assert refused.value.code is Code.CUSTODY_STALE
    give_up_carrier_destruction(people["p-keeper"], number=listed.number)
    list_destruction(people["p-keeper"], serials=at_province, method="crush", reason="密钥到期")


def test_the_night_destroys_what_a_stop_left(at_province):
    Carrier.objects.filter(serial=at_province[0]).update(state="destroyed")
    assert set(at_province) <= set(virtual_serials())
    days()
    assert at_province[0] not in virtual_serials()
