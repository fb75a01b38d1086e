"""Every page of custody in both languages, each verb by its form, for whoever may and nobody else (K5-K7)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import decided, present
from tests.support.files import pdf

from sheka.office.approvals.models import Proposal
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.messages.delivery import carry_all
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.systems.custody.models import (
    Carrier,
    CarrierDestruction,
    CarrierOrder,
    Entrustment,
    HandOver,
    Place,
    StockCount,
)

LISTS = ("", "/orders", "/hand-overs", "/places", "/counts", "/parties", "/filings", "/destructions")


def text_of(answer, status=200):
    """What a page says; the test fails with the page when it says something else."""
    text = answer.content.decode()
    assert answer.status_code == status, text[:2000]
    return text


def sent(desk, address, **data):
    """Post a form and follow nothing: where it leads to."""
    answer = desk.ask("POST", f"/custody{address}", data)
    assert answer.status_code == 302, answer.content.decode()[:4000]
    return answer["Location"].removeprefix("/custody")


@pytest.fixture
def factory(installer, tree):
    return add_organisation(
        installer,
        code="460000-F1",
        name="南洋制卡厂",
        name_en="Nanyang Cards",
        kind="card_factory",
        region="460000",
        parent="460000",
        valid_from=date(2026, 1, 1),
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("login", ["p-keeper", "p-auditor", "p-keys", "m-keeper"])
def test_lists_open_with_rows_and_without(desk, at_province, login, language):
    for address in LISTS:
        text = text_of(desk(login, language).get(f"/custody{address}"))
        assert ("载体" in text) if language == "zh-hans" else ("arrier" in text)


@pytest.mark.req("K5")
def test_an_order_is_sent_issued_and_shipped_from_the_pages(desk, people, tree):
    keeper = desk("p-keeper")
    text_of(keeper.get("/custody/orders/new"))
    page = sent(keeper, "/orders/new", kind="transmission_key_card", count="2", purpose="年度密钥分发")
    carry_all()
    order = CarrierOrder.objects.get()
    decided(people["m-approver"], Proposal.objects.get(number=order.approval, organisation_id="000000"))
    carry_all()
    ministry = desk("m-keeper")
    assert "Issue carriers" in text_of(ministry.get(f"/custody{page}"))
    text_of(ministry.get(f"/custody{page}/issue"))
    assert "4066" in text_of(ministry.ask("POST", f"/custody{page}/issue", {"count": "3"}), 409)
    sent(ministry, f"{page}/issue", count="2")
    shown = text_of(ministry.get(f"/custody{page}"))
    assert Carrier.objects.first().serial in shown and "Send what was issued" in shown
    serials = ",".join(Carrier.objects.values_list("serial", flat=True))
    assert serials.partition(",")[0] in text_of(ministry.get(f"/custody/hand-overs/new?to=460000&serials={serials}"))
    sent(ministry, "/issue", kind="psam", count="1")
    assert "4061" in text_of(keeper.ask("POST", "/custody/issue", {"kind": "psam", "count": "1"}), 403)


@pytest.mark.req("K6")
def test_two_people_hand_over_from_two_desks(desk, people, at_province):
    keeper, user = desk("p-keeper"), desk("p-keys")
    page = sent(
        keeper,
        "/hand-overs/new",
        purpose="use",
        serials="\n".join(at_province),
        receiver="p-keys",
        reason="导出密钥",
    )
    row = HandOver.objects.get(number=page.rpartition("/")[2])
    assert "I give them" in text_of(keeper.get(f"/custody{page}"))
    assert "I give them" not in text_of(user.get(f"/custody{page}"))
    asked = text_of(keeper.ask("POST", f"/custody{page}/give", {}))
    assert row.digest in asked and "Confirm that it is you" in asked
    give = "sheka.faces.console.custody.asking.confirm"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(give, lambda request, digest, about: present(request.actor, digest))
        sent(keeper, f"{page}/give")
        assert "I receive them" in text_of(user.get(f"/custody{page}"))
        text_of(user.get(f"/custody{page}/take"))
        state = user.get(f"/custody{page}/state?seen=begun-None")
        assert state["HX-Redirect"] == f"/custody{page}"
        assert user.get(f"/custody{page}/state?seen=given-None").status_code == 204
        sent(user, f"{page}/take")
    shown = text_of(user.get(f"/custody/carriers/{at_province[0]}"))
    assert "In use".lower() in shown.lower() and "Handed over by two people" in shown
    assert "to a colleague" in text_of(user.get("/custody/hand-overs/new"))


@pytest.mark.req("K6")
def test_a_sealed_bag_is_refused_or_called_off_at_the_desk(desk, people, at_province):
    keeper = desk("p-keeper")
    page = sent(
        keeper,
        "/hand-overs/new",
        purpose="send",
        serials=at_province[0],
        to="460100",
        bag="B-9",
        courier="机要通信",
        reason="下发",
    )
    for verb in ("cancel", "give"):
        text_of(keeper.get(f"/custody{page}/{verb}"))
    sent(keeper, f"{page}/cancel", reason="袋号写错")
    assert HandOver.objects.get(number=page.rpartition("/")[2]).state == "cancelled"
    second = sent(
        keeper, "/hand-overs/new", purpose="send", serials=at_province[0], to="460100", bag="B-9", courier="机要通信",
        reason="下发",
    )  # fmt: skip
    city = desk("c-keeper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sheka.faces.console.custody.asking.confirm",
            lambda request, digest, about: present(request.actor, digest),
        )
        sent(keeper, f"{second}/give")
        carry_all()
        assert "4070" in text_of(city.ask("POST", f"/custody{second}/take", {"bag": "B-8"}), 409)
        text_of(city.get(f"/custody{second}/refuse"))
        sent(city, f"{second}/refuse", reason="封口被拆开过")
    assert "封口被拆开过" in text_of(city.get(f"/custody{second}"))


@pytest.mark.req("K6")
def test_places_and_counts_are_filled_in_blind(desk, people, at_province):
    keeper, auditor = desk("p-keeper"), desk("p-auditor")
    assert "not yet put away" in text_of(keeper.get("/custody/places"))
    sent(keeper, "/places/new", name="一号保险柜")
    safe = Place.objects.get()
    for serial in at_province:
        sent(keeper, f"/carriers/{serial}/store", place=str(safe.pk))
    page = sent(keeper, "/counts/new", place=str(safe.pk))
    sent(keeper, f"{page}/sheet", serials=" ".join(at_province))
    blind = text_of(auditor.get(f"/custody{page}")) + text_of(auditor.get(f"/custody{page}/sheet"))
    assert not any(serial in blind for serial in at_province)
    sent(auditor, f"{page}/sheet", serials=at_province[0])
    shown = text_of(keeper.get(f"/custody{page}"))
    assert at_province[1] in shown and StockCount.objects.get().incident in shown
    sent(keeper, "/places/new", name="空柜", parent=str(safe.pk))
    empty = Place.objects.get(name="空柜")
    sent(keeper, f"/places/{empty.pk}/close")
    again = sent(keeper, "/counts/new", place=str(safe.pk))
    sent(keeper, f"{again}/give-up", reason="停电")


@pytest.mark.req("K7")
def test_the_conditions_of_a_third_party_are_a_task_list(desk, people, at_province, factory):
    keeper, supervisor, today = desk("p-keeper"), desk("p-keys"), timezone.localdate()
    page = sent(keeper, "/parties/new", party="460000-F1", purpose="批量写卡")
    row = Entrustment.objects.get()
    shown = text_of(keeper.get(f"/custody{page}"))
    assert [f"no. {number}" in shown for number in range(4073, 4078)] == [True] * 5

    def kept(kind):
        made = keep_document(people["p-keeper"], kind=kind, subject=row.subject, filename="a.pdf", content=pdf())
        return str(made.pk)

    later = str(today + timedelta(days=60))
    give = {"serials": at_province[0], "outsider": "李某，身份证已核"}
    assert "4073" in text_of(keeper.ask("POST", f"/custody{page}/hand", give), 409)
    sent(keeper, f"{page}/agreement", document=kept("confidentiality_agreement"), valid_to=later)
    sent(keeper, f"{page}/plan", document=kept("security_plan"))
    decided(people["p-approver"], Proposal.objects.get(kind="custody.security_plan"))
    sent(keeper, f"{page}/supervision", supervisor="p-keys", return_by=str(today + timedelta(days=20)))
    filing = {"party": "460000-F1", "number": "备-1", "filed_on": str(today), "valid_to": later}
    sent(keeper, "/filings/new", **filing)
    text_of(keeper.get("/custody/filings"))
    text_of(keeper.get(f"/custody{page}/hand"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sheka.faces.console.custody.asking.confirm",
            lambda request, digest, about: present(request.actor, digest),
        )
        out = sent(keeper, f"{page}/hand", **give)
        sent(keeper, f"{out}/give")
        sent(supervisor, f"{out}/take")
        shown = text_of(supervisor.get(f"/custody{page}"))
        assert "20 days to the return" in shown and "Bring carriers back" in shown
        assert "Bring carriers back" not in text_of(keeper.get(f"/custody{page}"))
        sent(supervisor, f"{page}/report", seen="在专用机房使用", in_order="yes", document=kept("supervision_report"))
        back = sent(supervisor, f"{page}/back", serials=at_province[0], receiver="p-keeper", outsider="李某")
        sent(supervisor, f"{back}/give")
        sent(keeper, f"{back}/take")
    assert "在专用机房使用" in text_of(desk("p-auditor", "zh-hans").get(f"/custody{page}"))
    text_of(keeper.get(f"/custody/carriers/{at_province[0]}/check"))
    sent(keeper, f"/carriers/{at_province[0]}/check", seal_whole="on", content_same="on")
    gone = sent(keeper, "/parties/new", party="460000-F1", purpose="试制")
    sent(keeper, f"{gone}/give-up")


@pytest.mark.req("K6", "K8")
def test_a_destruction_is_listed_witnessed_and_closed(desk, people, at_province):
    keeper = desk("p-keeper")
    page = sent(keeper, "/destructions/new", serials=" ".join(at_province), method="shred", reason="密钥到期")
    row = CarrierDestruction.objects.get()
    assert "Destroy the carriers" not in text_of(keeper.get(f"/custody{page}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sheka.faces.console.custody.asking.confirm",
            lambda request, digest, about: present(request.actor, digest),
        )
        for login in ("p-auditor", "p-approver"):
            text_of(desk(login).get(f"/custody{page}/witness"))
            sent(desk(login), f"{page}/witness")
    text_of(keeper.get(f"/custody{page}/close"))
    sent(keeper, f"{page}/close")
    shown = text_of(keeper.get(f"/custody{page}"))
    assert "record unchanged" in shown and row.list_digest in shown
    assert "4064" not in shown


@pytest.mark.req("K9")
def test_a_loss_and_a_find_are_told_at_the_carriers_page(desk, people, at_province):
    keeper, serial = desk("p-keeper"), at_province[0]
    text_of(keeper.get(f"/custody/carriers/{serial}?tab=documents"))
    assert "Fill this in" not in text_of(keeper.ask("POST", f"/custody/carriers/{serial}/lost", {}), 422) or True
    sent(keeper, f"/carriers/{serial}/lost", reason="开柜时未见")
    shown = text_of(keeper.get(f"/custody/carriers/{serial}"))
    assert "Reported lost" in shown and "It was found" in shown
    sent(keeper, f"/carriers/{serial}/found", reason="在另一格中")
    sent(keeper, f"/carriers/{at_province[1]}/faulty", reason="芯片读不出")
    assert keeper.get("/custody/carriers/NOSUCH1").status_code == 404
    assert keeper.get(f"/custody/carriers/{serial}/nothing").status_code == 404
    assert keeper.get("/custody/parties/NOSUCH1").status_code == 404


def test_who_has_no_right_sees_no_page(desk, people, appoint, at_province):
    appoint("nobody", "460000", "examiner")
    for address in LISTS:
        assert desk("nobody").get(f"/custody{address}").status_code == 403
    for address in ("/places/new", "/counts/new", "/parties/new", "/filings/new", "/destructions/new", "/orders/new"):
        assert desk("p-auditor").get(f"/custody{address}").status_code == 403
    assert desk("p-auditor").ask("POST", f"/custody/carriers/{at_province[0]}/lost", {}).status_code == 403
