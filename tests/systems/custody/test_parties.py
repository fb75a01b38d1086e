"""A third party gets a carrier under its conditions only, watched, and gives it back in time (K7)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import decided, present
from tests.support.files import pdf

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.incidents.models import Incident
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.systems.custody.actions.begin_hand_over import give_hand_over
from sheka.systems.custody.actions.check_carrier import check_carrier
from sheka.systems.custody.actions.complete_hand_over import complete_hand_over
from sheka.systems.custody.actions.entrust_carriers import (
    bring_back,
    give_up_entrustment,
    hand_to_party,
    prepare_entrustment,
    register_filing,
    report_supervision,
    set_agreement,
    set_supervision,
    submit_plan,
)
from sheka.systems.custody.clock import look_at_filings, look_at_parties
from sheka.systems.custody.conditions import conditions
from sheka.systems.custody.models import Carrier, Entrustment, VendorFiling
from sheka.systems.custody.queries import carrier, entrustment

TODAY = timezone.localdate
SOON = timedelta(days=20)


@pytest.fixture
def file(people, installer, at_province):
    """A file for a card factory of Hainan, empty as yet."""
    add_organisation(
        installer,
        code="460000-F1",
        name="南洋制卡厂",
        name_en="Nanyang Cards",
        kind="card_factory",
        region="460000",
        parent="460000",
        valid_from=date(2026, 1, 1),
    )
    return prepare_entrustment(people["p-keeper"], party="460000-F1", purpose="批量写卡")


@pytest.fixture
def kept(people, file):
    """kept(kind) → a document of the file."""

    def keep(kind):
        return keep_document(people["p-keeper"], kind=kind, subject=file.subject, filename="a.pdf", content=pdf()).pk

    return keep


@pytest.fixture
def fulfilled(people, file, kept):
    """Everything that K7 asks for is there."""
    keeper, number = people["p-keeper"], file.number
    set_agreement(keeper, number=number, document_id=kept("confidentiality_agreement"), valid_to=TODAY() + 2 * SOON)
    submit_plan(keeper, number=number, document_id=kept("security_plan"))
    decided(people["p-approver"], Proposal.objects.get(kind="custody.security_plan"))
    set_supervision(keeper, number=number, supervisor="p-keys", return_by=TODAY() + SOON)
    register_filing(keeper, party="460000-F1", number="备-2026-1", filed_on=TODAY() - SOON, valid_to=TODAY() + 2 * SOON)
    return Entrustment.objects.get(pk=file.pk)


def confirm(giver, receiver, row):
    present(giver, row.digest)
    give_hand_over(giver, number=row.number, digest=row.digest)
    present(receiver, row.digest)
    return complete_hand_over(receiver, number=row.number, digest=row.digest)


@pytest.fixture
def out(people, fulfilled, at_province):
    """One carrier at the factory."""
    row = hand_to_party(
        people["p-keeper"], number=fulfilled.number, serials=at_province[:1], outsider="李某 身份证已核"
    )
    confirm(people["p-keeper"], people["p-keys"], row)
    return Entrustment.objects.get(pk=fulfilled.pk)


def refused_as(code, call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    assert refused.value.code is code


@pytest.mark.req("K7")
def test_each_missing_condition_is_its_own_refusal(people, file, fulfilled, at_province):
    assert [condition.missing for condition in conditions(fulfilled, TODAY())] == [None] * 5
    ways = (
        (Code.PARTY_AGREEMENT, {"agreement": None}),
        (Code.PARTY_AGREEMENT, {"agreement_valid_to": TODAY() + timedelta(days=1)}),
        (Code.PARTY_PLAN, {"plan": None}),
        (Code.PARTY_PLAN, {"plan_approval": None}),
        (Code.PARTY_SUPERVISOR, {"supervisor": None}),
        (Code.PARTY_RETURN_DATE, {"return_by": None}),
        (Code.PARTY_RETURN_DATE, {"return_by": TODAY() + timedelta(days=91), "agreement_valid_to": date(2030, 1, 1)}),
        (Code.PARTY_RETURN_DATE, {"return_by": TODAY() - timedelta(days=1)}),
    )
    rows = Entrustment.objects.filter(pk=fulfilled.pk)
    was = rows.values("agreement", "agreement_valid_to", "plan", "plan_approval", "supervisor", "return_by").get()
    give = {"number": file.number, "serials": at_province, "outsider": "李某"}
    for code, without in ways:
        rows.update(**without)
        refused_as(code, hand_to_party, people["p-keeper"], **give)
        rows.update(**was)
    VendorFiling.objects.update(valid_to=TODAY() + timedelta(days=1))
    refused_as(Code.PARTY_FILING, hand_to_party, people["p-keeper"], **give)


@pytest.mark.req("K7")
def test_an_unreviewed_plan_and_a_plan_exchanged_after_its_review_do_not_count(people, fulfilled, kept, at_province):
    submit_plan(people["p-keeper"], number=fulfilled.number, document_id=kept("security_plan"))
    give = {"number": fulfilled.number, "serials": at_province, "outsider": "李某"}
    refused_as(Code.PARTY_PLAN, hand_to_party, people["p-keeper"], **give)


@pytest.mark.req("K7")
def test_it_goes_out_with_its_supervisor_and_comes_back_to_be_checked(people, out, at_province):
    keeper, supervisor, serial = people["p-keeper"], people["p-keys"], at_province[0]
    held = carrier(keeper, serial)
    assert (held.state, held.at, held.keeper.login, out.state) == ("entrusted", "460000-F1", "p-keys", "out")
    refused_as(Code.PARTY_SUPERVISOR, report_supervision, keeper, number=out.number, seen="正常使用", in_order=True)
    report_supervision(supervisor, number=out.number, seen="在厂内专用机房使用，全程在场", in_order=True)
    assert not Incident.objects.exists()
    back = bring_back(supervisor, number=out.number, serials=[serial], receiver="p-keeper", outsider="李某")
    confirm(supervisor, keeper, back)
    assert (carrier(keeper, serial).state, entrustment(keeper, out.number).state) == ("returned", "back")
    assert check_carrier(keeper, serial, seal_whole=True, content_same=True).state == "blank"


@pytest.mark.req("K7", "K9")
def test_a_broken_seal_and_a_bad_report_are_incidents(people, out, at_province):
    keeper, supervisor = people["p-keeper"], people["p-keys"]
    report_supervision(supervisor, number=out.number, seen="离开机房两小时" * 280, in_order=False)
    back = bring_back(supervisor, number=out.number, serials=at_province[:1], receiver="p-keeper", outsider="李某")
    confirm(supervisor, keeper, back)
    refused_as(Code.CUSTODY_ENTRY, check_carrier, keeper, at_province[0], seal_whole=False, content_same=True)
    checked = check_carrier(keeper, at_province[0], seal_whole=False, content_same=True, remark="封签断裂")
    assert checked.state == "faulty"
    seen, seal = Incident.objects.filter(organisation_id="460000").order_by("pk")
    assert out.party.name in seen.about.splitlines()[0] and out.party.name_en in seen.about.splitlines()[1]
    assert seal.about.splitlines() == [
        f"封签被动：载体 {at_province[0]} 归还查验不合格。",
        f"The seal was broken: the carrier {at_province[0]} failed its check on return.",
        "封签断裂",
    ]


@pytest.mark.req("K7")
def test_what_is_overdue_is_told_at_once_and_becomes_an_incident(people, out):
    look_at_parties()
    assert not WorkItem.objects.filter(kind="entrustment.overdue").exists()
    Entrustment.objects.filter(pk=out.pk).update(return_by=TODAY() - timedelta(days=1))
    look_at_parties()
    assert WorkItem.objects.filter(kind="entrustment.overdue").count() == 1
    logins = WorkNotice.objects.filter(kind="entrustment.overdue").values_list("staff__login", flat=True)
    assert set(logins) <= {"p-keys", "p-keeper"}
    assert not Incident.objects.exists()
    Entrustment.objects.filter(pk=out.pk).update(return_by=TODAY() - timedelta(days=4))
    look_at_parties()
    look_at_parties()
    zh, en = Incident.objects.get(organisation_id="460000").about.splitlines()
    assert "逾期 4 天" in zh and "are 4 days late" in en


@pytest.mark.req("K7")
def test_reports_and_filings_come_due(people, out):
    Entrustment.objects.filter(pk=out.pk).update(out_at=timezone.now() - timedelta(days=7))
    look_at_parties()
    assert WorkItem.objects.filter(kind="entrustment.supervise").count() == 1
    look_at_filings()
    item = WorkItem.objects.get(kind="vendor.filing")
    register_filing(
        people["p-keeper"], party="460000-F1", number="备-2026-2", filed_on=TODAY(), valid_to=TODAY() + 30 * SOON
    )
    item.refresh_from_db()
    assert item.state == "done"


def test_a_file_that_leads_nowhere_is_given_up(people, file):
    give_up_entrustment(people["p-keeper"], number=file.number)
    refused_as(Code.STATE_FORBIDS, set_supervision, people["p-keeper"], number=file.number, supervisor="p-keys",
               return_by=TODAY())  # fmt: skip
    refused_as(Code.CUSTODY_ENTRY, prepare_entrustment, people["p-keeper"], party="460100", purpose="批量写卡")
    assert Carrier.objects.filter(state="entrusted").count() == 0
