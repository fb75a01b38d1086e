"""The freezers that the systems declared do what the plans promise: nothing of it is a test's own (K9)."""

from __future__ import annotations

import pytest
from tests.support.approvals import present

from sheka.foundation.numbers.card import card_number
from sheka.foundation.refusals import Refused
from sheka.office.incidents.actions.handle_incident import take_incident
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.incidents.actions.settle_affected import release_affected
from sheka.office.incidents.freezing import follow_up_named, freezer_of, freezers
from sheka.office.incidents.guards import decision_digest
from sheka.office.incidents.plans import default_plan, kinds
from sheka.office.incidents.queries import find_things, frozen_by_incident
from sheka.office.messages.delivery import carry_all
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over
from sheka.systems.custody.models import Carrier
from sheka.systems.transactions.models import Block

ABOUT = "Not in the safe this morning."


@pytest.mark.req("K9")
def test_whatever_a_default_plan_freezes_or_sets_going_some_system_does():
    """Lost: a plan that promises a freeze which no system knows, found out on the worst of days."""
    for kind in kinds():
        plan = default_plan(kind)
        for thing in plan.freezes:
            found = freezer_of(thing)
            assert found is not None and found.freeze is not None and found.thaw is not None, (kind, thing)
        assert all(follow_up_named(name) for name in plan.follow_ups), kind
    assert {"carrier", "key", "psam", "terminal", "card_range"} <= set(freezers())


@pytest.mark.req("K9")
def test_a_lost_carrier_is_out_of_use_until_a_second_person_lets_it_go(people, at_province):
    """Lost: the carrier goes on through the hands of the province while its loss is being written up."""
    serial, other = at_province
    keeper, officer, approver = people["p-keeper"], people["p-keys"], people["p-approver"]
    assert serial in [thing.name for thing in find_things(keeper, "carrier", serial[:-1])]
    made = report_incident(keeper, kind="lost_carrier", subject=f"carrier:{serial}", about=ABOUT)
    row = made.affected.get()
    assert row.state == "frozen", row.failure
    assert Carrier.objects.get(serial=serial, organisation_id="460000").state == "frozen"
    assert frozen_by_incident(f"carrier:{serial}") and not frozen_by_incident(f"carrier:{other}")
    with pytest.raises(Refused):
        begin_hand_over(
            keeper, serials=[serial], purpose="send", to="460100", reason="on its way", courier="c", bag="S1"
        )
    carry_all()
    take_incident(officer, number=made.number)
    made.refresh_from_db()
    present(approver, decision_digest(made, "thaw", f"carrier:{serial}"))
    release_affected(
        approver, number=made.number, subject=f"carrier:{serial}", verb="thaw", reason="It lay sealed in the next safe."
    )
    assert Carrier.objects.get(serial=serial, organisation_id="460000").state != "frozen"


@pytest.mark.req("K9")
def test_what_a_system_does_not_know_is_a_failed_freeze_with_its_words(people):
    """A serial that was mistyped in haste: the report stands, and says what could not be stopped."""
    made = report_incident(people["c-keeper"], kind="lost_psam", subject="terminal:T-NOWHERE", about=ABOUT)
    row = made.affected.get()
    assert row.state == "failed" and row.failure and made.receipts.count() == 2


@pytest.mark.req("K9")
def test_a_range_of_cards_goes_on_the_block_list_and_off_again(people, tree):
    numbers = f"{card_number('D2143560')}-{card_number('D2143569')}"
    made = report_incident(people["c-keys"], kind="counterfeit_cards", subject=f"card_range:{numbers}", about=ABOUT)
    row = made.affected.get()
    assert row.state == "frozen", row.failure
    block = Block.objects.get(incident=made.number)
    assert block.kind == "card_range" and block.lifted_at is None
    take_incident(people["c-keys"], number=made.number)
    made.refresh_from_db()
    present(people["c-approver"], decision_digest(made, "thaw", row.subject))
    release_affected(
        people["c-approver"],
        number=made.number,
        subject=row.subject,
        verb="thaw",
        reason="They were printed as samples.",
    )
    block.refresh_from_db()
    assert block.lifted_at is not None
