"""Exchange of a card: grounds, documents, fee, due day, temporary proof, collection, cancellation (S3, R1-R8)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import translation
from tests.support.notices import NOTICE_2027

from sheka.equipment.card_reader.examination import ReaderFinding, StepFinding
from sheka.foundation.refusals import Code
from sheka.foundation.terms import Term
from sheka.office.audit.models import Event
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.runner import perform
from sheka.office.operations.actions.decide_notice import decide_notice
from sheka.office.operations.actions.propose_notice import propose_notice
from sheka.office.work.models import WorkItem
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.cancel_card import cancel_card
from sheka.systems.cards.actions.cancel_exchange import cancel_exchange
from sheka.systems.cards.actions.change_personal_data import change_personal_data
from sheka.systems.cards.actions.collect_exchange import collect_exchange
from sheka.systems.cards.actions.hand_in_card import hand_in_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.pay_exchange import pay_exchange
from sheka.systems.cards.actions.report_loss import report_loss
from sheka.systems.cards.documents import Document, DocumentKind, Identity, Proxy
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.queries import exchange_line, exchange_named, exchange_summary, holder_by_proof, life_line
from sheka.systems.cards.states import EXCHANGE

DEFECT, BLAME = Cause.QUALITY_DEFECT, Cause.PEOPLE
MUTE = ReaderFinding("reader 1", "", (StepFinding(Term("上电复位", "power up"), "", False, Term("无应答", "mute")),))
SURFACE = Damage(surface="照片与号码被划花，无法辨认", cause=BLAME)


def fine(number):
    return ReaderFinding("reader 1", "3B", (StepFinding(Term("读", "read"), "9000", True, Term("正常", "ok")),), number)


@pytest.fixture
def apply(staff, papers, make):
    """apply(card, …) → an exchange for a broken chip, all documents shown, unless told otherwise."""

    def run(card, *, who="clerk", ground=Ground.DAMAGED, kinds=("holder_id", "old_card"), **more):
        if ground is Ground.DAMAGED:
            more.setdefault("damage", Damage(reader=MUTE, cause=BLAME))
        more.setdefault("documents", papers(*kinds))
        more.setdefault("identity", make.identity(card))
        return apply_exchange(staff[who], card=card, ground=ground, **more)

    return run


@pytest.fixture
def ready(staff, make, apply):
    """ready(card, …) → an exchange whose new card lies at the outlet."""

    def run(card, **more):
        case = apply(card, **more)
        new = number_cards(staff["producer"], cards=[case.new_card])[0]
        make.in_stock(new)
        return exchange_named(staff["clerk"], case.number)

    return run


@pytest.fixture
def collect(staff, papers, make):
    def run(case, *, who="clerk", kinds=("confirmation", "holder_id"), **more):
        more.setdefault("documents", papers(*kinds))
        more.setdefault("identity", make.identity(case.old_card))
        if "not_returned" not in more:
            more.setdefault("old_card", case.old_card.number)
        return collect_exchange(staff[who], number=case.number, **more)

    return run


def pay(staff, case):
    return pay_exchange(staff["clerk"], number=case.number, paid_fen=case.fee_fen, receipt="R-1")


@pytest.mark.req("R1")
@pytest.mark.req("R7")
def test_a_broken_chip_is_exchanged_on_the_readers_own_finding(make, apply, on_day):
    card = make.active()
    with on_day(date(2026, 9, 25)):
        case = apply(card)
    assert case.state == "applied"
    assert case.finding["readable"] is False
    assert case.finding["reader"]["steps"][0]["en"] == "power up"
    assert (case.due_on, case.due_provisional) == (date(2026, 10, 12), False)
    assert sum(day["working"] for day in case.due_strip) == 7
    assert (case.new_card.state, case.new_card.outlet_id, case.new_card.person) == ("ordered", "460100-01", card.person)
    shown = [(row.kind, row.original_seen, row.copy_kept) for row in case.documents.all()]
    assert shown == [("holder_id", True, True), ("old_card", True, True)]
    assert card.person.social_security_number not in Event.objects.get(event="exchange.applied").facts
    assert [event.kind for event in life_line(card)][-3:] == ["done", "now", "next"]
    assert "2026-10-12" in life_line(card)[-2].detail


@pytest.mark.req("R7")
def test_a_defaced_surface_is_a_ground_with_a_readable_chip_and_nothing_at_all_is_none(make, apply, refused):
    card = make.active()
    for damage in (None, Damage(cause=DEFECT), Damage(reader=fine(card.number), cause=DEFECT)):
        refused(Code.EXCHANGE_NO_FINDING, lambda damage=damage: apply(card, damage=damage))
    case = apply(card, damage=Damage(reader=fine(card.number), surface="卡面磨损", cause=DEFECT))
    assert (case.finding["readable"], case.finding["surface"]) == (True, "卡面磨损")


@pytest.mark.req("R7")
def test_a_finding_on_another_card_is_no_finding_on_this_one(make, apply, refused):
    card = make.active()
    other = Damage(reader=fine("D0009999" + "0"), surface="磨损")
    refused(Code.CARD_OTHER_IN_READER, lambda: apply(card, damage=other))


@pytest.mark.req("R1")
@pytest.mark.req("R7")
@pytest.mark.parametrize("missing", ["holder_id", "old_card"])
def test_every_document_of_the_list_is_needed(make, apply, papers, refused, missing):
    card = make.active()
    kinds = [kind for kind in ("holder_id", "old_card") if kind != missing]
    refused(Code.EXCHANGE_DOCUMENT_MISSING, lambda: apply(card, kinds=kinds))
    assert ExchangeCase.objects.count() == 0


@pytest.mark.req("R7")
def test_the_copy_of_the_id_card_is_kept_and_its_original_is_seen(make, apply, refused):
    card = make.active()
    old = Document(DocumentKind.OLD_CARD, original=True)
    for holder in (
        Document(DocumentKind.HOLDER_ID, original=True),
        Document(DocumentKind.HOLDER_ID, copy=True),
    ):
        refused(Code.EXCHANGE_DOCUMENT_MISSING, lambda holder=holder: apply(card, documents=[holder, old]))
    assert apply(card, documents=[Document(DocumentKind.HOLDER_ID, original=True, copy=True), old])


@pytest.mark.req("R1")
def test_a_proxy_shows_the_own_id_card_and_leaves_a_copy(make, apply, proxy, refused):
    card = make.active()
    holder = [
        Document(DocumentKind.HOLDER_ID, original=True, copy=True),
        Document(DocumentKind.OLD_CARD, original=True),
    ]
    for shown in ([], [Document(DocumentKind.PROXY_ID, original=True)], [Document(DocumentKind.PROXY_ID, copy=True)]):
        refused(
            Code.EXCHANGE_DOCUMENT_MISSING,
            lambda shown=shown: apply(card, proxy=proxy, documents=[*holder, *shown]),
        )
    case = apply(card, proxy=proxy, documents=[*holder, Document(DocumentKind.PROXY_ID, original=True, copy=True)])
    assert case.by_proxy and case.proxy_relation == "配偶"
    assert proxy.number not in "".join(Event.objects.values_list("facts", flat=True))


@pytest.mark.req("R1")
def test_a_proxy_is_identified(make, apply, refused):
    card = make.active()
    kinds = ("holder_id", "old_card", "proxy_id")
    person = card.person
    refused(
        Code.CARD_PROXY_SELF,
        lambda: apply(card, proxy=Proxy(person.name, person.social_security_number, "本人"), kinds=kinds),
    )
    refused(Code.CARD_PROXY_INCOMPLETE, lambda: apply(card, proxy=Proxy("", "", ""), kinds=kinds))


def test_the_old_card_on_the_counter_is_the_card_of_the_application(make, apply, papers, refused):
    card = make.active()
    wrong = [*papers("holder_id"), Document(DocumentKind.OLD_CARD, number="D0009999X", original=True)]
    refused(Code.EXCHANGE_OLD_CARD, lambda: apply(card, documents=wrong))


@pytest.mark.req("R8")
def test_changed_data_need_the_form_and_the_form_must_be_the_holders_own(make, staff, apply, people, refused):
    card, stranger = make.active(), make.active()
    kinds = ("holder_id", "old_card", "change_form")
    take = lambda form, kinds=kinds: apply(card, ground=Ground.DATA_CHANGED, kinds=kinds, change_form=form)  # noqa: E731
    refused(Code.EXCHANGE_FORM_MISSING, lambda: take(" "))
    refused(Code.EXCHANGE_FORM_UNKNOWN, lambda: take("B46010020260101000001"))
    change = lambda person, **changes: change_personal_data(  # noqa: E731
        staff["data_clerk"], person=person, changes=changes, evidence="户口变更证明 1 号"
    )
    refused(Code.EXCHANGE_FORM_UNKNOWN, lambda: take(change(stranger.person, name="李改名").number))
    refused(Code.EXCHANGE_FORM_OLDER, lambda: take(change(card.person, phone="10900009999").number))
    form = change(card.person, name="张新名").number
    card.refresh_from_db()
    refused(Code.EXCHANGE_DOCUMENT_MISSING, lambda: take(form, ("holder_id", "old_card")))
    case = take(form)
    assert (case.change.number, case.fee_working["rule"]) == (form, "paid_data_changed")
    cancel_exchange(staff["supervisor"], number=case.number, reason="误办")
    again = take(form)
    assert again.change == case.change


@pytest.mark.req("R8")
def test_one_form_serves_one_exchange(make, staff, apply, ready, collect, refused):
    card = make.active()
    change = change_personal_data(
        staff["data_clerk"], person=card.person, changes={"name": "张新名"}, evidence="户口变更证明"
    )
    card.refresh_from_db()
    kinds = ("holder_id", "old_card", "change_form")
    case = ready(card, ground=Ground.DATA_CHANGED, kinds=kinds, change_form=change.number)
    pay(staff, case)
    collect(case)
    new = Card.objects.get(pk=case.new_card_id)
    refused(
        Code.EXCHANGE_FORM_USED, lambda: apply(new, ground=Ground.DATA_CHANGED, kinds=kinds, change_form=change.number)
    )


@pytest.mark.req("R8")
def test_a_card_made_after_the_change_needs_no_exchange(make, staff, apply, refused):
    card = make.active()
    change = change_personal_data(staff["data_clerk"], person=card.person, changes={"name": "张新名"}, evidence="证明")
    card.refresh_from_db()
    later = change.at + timedelta(days=1)
    card.personalisations.create(reader="r", state="done", by="x", started_at=later, chip_serial=card.chip_serial)
    kinds = ("holder_id", "old_card", "change_form")
    refused(
        Code.EXCHANGE_FORM_OLDER,
        lambda: apply(card, ground=Ground.DATA_CHANGED, kinds=kinds, change_form=change.number),
    )


@pytest.mark.req("R5")
def test_a_quality_defect_within_the_year_is_free_and_the_same_a_day_later_is_paid(make, apply, on_day, staff):
    card = make.active()
    Card.objects.filter(pk=card.pk).update(received_on=date(2025, 3, 3))
    damage = Damage(reader=MUTE, cause=DEFECT)
    with on_day(date(2026, 3, 3)):
        free = apply(card, damage=damage)
        assert (free.fee_fen, free.fee_working["last_free_day"]) == (0, "2026-03-03")
        cancel_exchange(staff["supervisor"], number=free.number, reason="测试")
    with on_day(date(2026, 3, 4)):
        paid = apply(card, damage=damage)
    assert (paid.fee_fen, paid.fee_working["rule"]) == (1600, "paid_after_term")


@pytest.mark.req("R5")
def test_the_fee_is_taken_exactly_and_once_and_before_the_card_is_given(make, staff, ready, collect, refused):
    case = ready(make.active())
    refused(Code.EXCHANGE_FEE_UNPAID, lambda: collect(case))
    take = lambda fen, receipt="R-1": pay_exchange(  # noqa: E731
        staff["clerk"], number=case.number, paid_fen=fen, receipt=receipt
    )
    refused(Code.EXCHANGE_FEE_AMOUNT, lambda: take(case.fee_fen - 1))
    refused(Code.CARD_REASON, lambda: take(case.fee_fen, " "))
    take(case.fee_fen)
    refused(Code.EXCHANGE_FEE_SETTLED, lambda: take(case.fee_fen))
    assert collect(case).state == "collected"


@pytest.mark.req("R5")
def test_a_free_exchange_takes_no_money(make, staff, apply, refused):
    case = apply(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    refused(Code.EXCHANGE_FEE_SETTLED, lambda: pay(staff, case))


@pytest.mark.req("R3")
@pytest.mark.req("R6")
def test_the_new_card_takes_over_and_the_old_one_stays_at_the_outlet(make, staff, ready, collect):
    old = make.active()
    case = ready(old)
    pay(staff, case)
    done = collect(case)
    old.refresh_from_db()
    new = Card.objects.get(pk=case.new_card_id)
    assert (old.state, old.held_at_id, new.state) == ("handed_in", "460100-01", "handed_out")
    assert new.received_on is not None
    assert (done.state, done.collected_by, done.old_card_returned) == ("collected", "holder", True)
    events = list(old.events.values_list("event", flat=True))
    assert events[-4:] == ["exchange_ready", "exchange_paid", "replaced", "handed_in"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, state FROM cards_holder(%s)", [old.number])
        before = cursor.fetchone()
        cursor.execute("SELECT person_id, state FROM cards_holder(%s)", [new.number])
        assert cursor.fetchone() == (before[0], "handed_out")
    assert before == (old.person_id, "handed_in")


@pytest.mark.req("R6")
def test_while_the_exchange_runs_the_card_works_and_a_temporary_proof_stands_for_the_person(make, apply, on_day, staff):
    card = make.active()
    with on_day(date(2026, 3, 2)):
        case = apply(card, damage=SURFACE)
    card.refresh_from_db()
    assert card.state == "active"
    assert case.proof_to == case.due_on + timedelta(days=30)
    proves = lambda day: holder_by_proof(case.proof_number, day)  # noqa: E731
    assert proves(date(2026, 3, 2)) == proves(case.proof_to) == card.person_id
    assert proves(date(2026, 3, 1)) is None and proves(case.proof_to + timedelta(days=1)) is None
    cancel_exchange(staff["supervisor"], number=case.number, reason="撤回")
    assert proves(date(2026, 3, 3)) is None


@pytest.mark.req("R3")
def test_it_is_collected_only_where_it_was_applied_for(make, staff, ready, collect, refused):
    case = ready(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    refused(Code.EXCHANGE_WRONG_OUTLET, lambda: collect(case, who="other_clerk"))
    refused(Code.EXCHANGE_UNKNOWN, lambda: collect(case, who="far_clerk"))
    assert collect(case).state == "collected"


@pytest.mark.req("R1")
def test_an_application_is_made_at_any_outlet_of_the_city_and_at_no_other_place(make, apply, refused):
    card = make.active()
    refused(Code.ORGANISATION_OUT_OF_REACH, lambda: apply(card, who="far_clerk"))
    for who in ("supervisor", "producer", "planner"):
        refused(Code.PERMISSION_MISSING, lambda who=who: apply(card, who=who))
    assert apply(card, who="other_clerk").new_card.outlet_id == "460100-02"


@pytest.mark.req("R3")
@pytest.mark.parametrize("missing", ["confirmation", "holder_id"])
def test_collection_needs_the_confirmation_and_the_original_id_card(make, ready, collect, refused, missing):
    case = ready(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    kinds = [kind for kind in ("confirmation", "holder_id") if kind != missing]
    refused(Code.EXCHANGE_DOCUMENT_MISSING, lambda: collect(case, kinds=kinds))


@pytest.mark.req("R3")
def test_collection_by_proxy_and_by_nobody_else(make, people, ready, collect, proxy, refused):
    case = ready(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    stranger = Identity(people[-1].name, people[-1].social_security_number)
    refused(Code.CARD_IDENTITY_DIFFERS, lambda: collect(case, identity=stranger))
    refused(Code.EXCHANGE_DOCUMENT_MISSING, lambda: collect(case, proxy=proxy))
    done = collect(case, proxy=proxy, kinds=("confirmation", "holder_id", "proxy_id"))
    assert done.collected_by == "proxy"


@pytest.mark.req("R3")
def test_the_old_card_is_handed_in_or_declared_missing_with_a_reason(make, staff, ready, collect, refused):
    case = ready(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    refused(Code.EXCHANGE_OLD_CARD, lambda: collect(case, old_card="D0009999X"))
    refused(Code.EXCHANGE_NOT_RETURNED_REASON, lambda: collect(case, not_returned="  "))
    done = collect(case, not_returned="洗衣机中损毁，已丢弃")
    old = Card.objects.get(pk=case.old_card_id)
    assert (old.state, done.old_card_returned, old.not_returned_at is None) == ("replaced", False, False)
    assert [event.kind for event in life_line(old) if event.at][-1] == "bad"
    assert hand_in_card(staff["clerk"], card=old).not_returned_at is None


def test_the_new_card_of_an_exchange_is_not_simply_handed_out_or_cancelled(make, staff, ready, refused):
    case = ready(make.active())
    new = case.new_card
    refused(Code.CARD_BELONGS_TO_EXCHANGE, lambda: hand_out_card(staff["clerk"], card=new, identity=make.identity(new)))
    refused(Code.CARD_EXCHANGE_OPEN, lambda: cancel_card(staff["supervisor"], card=new, reason="误订"))


def test_one_open_exchange_at_a_time(make, apply, refused):
    card = make.active()
    first = apply(card)
    assert first.number in str(refused(Code.EXCHANGE_OPEN, lambda: apply(card)))


@pytest.mark.parametrize("state", ["in_stock", "temporarily_lost", "lost", "cancelled", "handed_in", "destroyed"])
def test_a_card_that_is_not_with_its_holder_is_not_exchanged(make, apply, refused, state):
    refused(Code.EXCHANGE_CARD_STATE, lambda: apply(make.in_state(state)))


def test_a_card_lost_while_the_exchange_runs_is_replaced_all_the_same(make, staff, ready, collect):
    old = make.active()
    case = ready(old, damage=Damage(reader=MUTE, cause=DEFECT))
    report_loss(staff["clerk"], card=old, identity=make.identity(old))
    collect(case, not_returned="换卡期间遗失")
    old.refresh_from_db()
    assert old.state == "replaced"


def test_a_cancelled_exchange_leaves_the_old_card_and_ends_the_new_one(make, staff, apply, ready, refused):
    card = make.active()
    case = ready(card)
    pay(staff, case)
    refused(Code.CARD_REASON, lambda: cancel_exchange(staff["supervisor"], number=case.number, reason=""))
    refused(Code.PERMISSION_MISSING, lambda: cancel_exchange(staff["clerk"], number=case.number, reason="x"))
    done = cancel_exchange(staff["supervisor"], number=case.number, reason="持卡人放弃")
    card.refresh_from_db()
    new = Card.objects.get(pk=case.new_card_id)
    assert (done.state, card.state, new.state) == ("cancelled", "active", "cancelled")
    assert '"refund_fen":1600' in Event.objects.get(event="exchange.cancelled").facts
    assert hand_in_card(staff["clerk"], card=new).state == "handed_in"
    assert apply(card).state == "applied"


VERBS = {
    "pay": lambda staff, case, collect: pay(staff, case),
    "collect": lambda staff, case, collect: collect(case),
    "cancel": lambda staff, case, collect: cancel_exchange(staff["supervisor"], number=case.number, reason="撤回"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", EXCHANGE.states)
def test_a_verb_of_an_exchange_works_from_its_states_and_no_other(
    make, staff, apply, ready, collect, refused, verb, state
):
    case = (ready if state in ("ready", "collected") else apply)(make.active())
    if verb != "pay" or state == "collected":
        pay(staff, case)
    if state == "collected":
        collect(case)
    elif state == "cancelled":
        VERBS["cancel"](staff, case, collect)
    elif state == "in_production":
        number_cards(staff["producer"], cards=[case.new_card])
    case = exchange_named(staff["clerk"], case.number)
    assert case.state == state
    if verb in EXCHANGE.verbs(state):
        VERBS[verb](staff, case, collect)
        assert exchange_named(staff["clerk"], case.number).state == EXCHANGE.after(state, verb)
    else:
        refused(Code.STATE_FORBIDS, lambda: VERBS[verb](staff, case, collect))


def test_the_summary_says_everything_the_confirmation_needs_and_no_person_number(make, apply):
    card = make.active()
    found = exchange_summary(apply(card))
    assert (found.old_card, found.fee_fen, found.fee_paid) == (card.number, 1600, False)
    assert found.fee_working["rule"] == "paid_not_quality"
    assert card.person.social_security_number not in repr(found)


def test_the_line_of_an_exchange_follows_both_cards(make, staff, ready, collect):
    case = ready(make.active(), damage=Damage(reader=MUTE, cause=DEFECT))
    with translation.override("en"):
        assert [event.title for event in exchange_line(case)] == [
            "Ordered",
            "Exchange applied for",
            "Numbered",
            "Personalised and read back",
            "Taken into stock",
            "New card ready to collect",
            "New card to be collected, this one to be handed in",
        ]
        done = exchange_line(collect(case))
    assert [event.title for event in done][-3:] == ["Replaced by a new card", "Old card handed in", "Handed out"]
    assert {event.kind for event in done} == {"done"}
    assert [event.at for event in done] == sorted(event.at for event in done)


@pytest.mark.req("R2")
def test_promised_days_are_counted_anew_when_the_years_notice_comes_into_force(make, apply, on_day, appoint):
    """Applied for in January 2027, whose notice nobody knew: Spring Festival moves the day, the holder is listed."""
    with on_day(date(2027, 2, 1)):
        moved, settled = apply(make.active()), apply(make.active())
    assert (moved.due_on, moved.due_provisional) == (date(2027, 2, 10), True)
    ExchangeCase.objects.filter(pk=settled.pk).update(state="collected")
    first, second = (appoint(name, "460100", "business_administrator") for name in ("he", "feng"))
    notice = propose_notice(first, NOTICE_2027)
    decide_notice(second, notice_id=notice.pk, digest=notice.digest, verb="publish")
    run = JobRun.objects.get(name="cards.recount_promised_days")
    perform(run.pk, run.queue_id)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    listed = {"exchange": moved.number, "was": "2027-02-10", "now": "2027-02-17"}
    assert run.result == {"year": 2027, "counted": 1, "kept": 0, "moved": 1, "exchanges": [listed]}
    moved.refresh_from_db()
    assert (moved.due_on, moved.due_provisional) == (date(2027, 2, 17), False)
    assert sum(day["working"] for day in moved.due_strip) == 7
    assert WorkItem.objects.get(kind="exchange.make", subject=moved.subject).due_on == date(2027, 2, 17)
    settled.refresh_from_db()
    assert settled.due_on == date(2027, 2, 10)
    assert Event.objects.get(event="exchange.recounted").organisation_id == "460100"
