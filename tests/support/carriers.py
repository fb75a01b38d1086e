"""People of three levels who keep carriers, a hand-over done by two of them, and carriers on their way down."""

import pytest
from tests.support.approvals import decided, present

from sheka.equipment.server.node import NodeConfig
from sheka.office.approvals.models import Proposal
from sheka.office.messages.delivery import carry_all
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.complete_hand_over import complete_hand_over
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.custody.models import CarrierOrder

PEOPLE = (
    ("m-keeper", "000000", "custodian"),
    ("m-keeper2", "000000", "custodian"),
    ("m-approver", "000000", "approver"),
    ("m-keys", "000000", "key_officer"),
    ("p-keeper", "460000", "custodian"),
    ("p-keeper2", "460000", "custodian"),
    ("p-approver", "460000", "approver"),
    ("p-keys", "460000", "key_officer"),
    ("p-auditor", "460000", "auditor"),
    ("c-keeper", "460100", "custodian"),
    ("c-keeper2", "460100", "custodian"),
    ("c-approver", "460100", "approver"),
    ("c-keys", "460100", "key_officer"),
)


@pytest.fixture
def node(settings, tmp_path):
    """Where the documents and the virtual carriers of this test lie."""
    settings.NODE = NodeConfig.create_demo(tmp_path / "node", document_keys="file")
    return settings.NODE


@pytest.fixture
def people(appoint):
    """login → actor: custodians, approvers, key officers of ministry (m-), Hainan (p-) and Haikou (c-), an auditor."""
    return {login: appoint(login, place, role) for login, place, role in PEOPLE}


@pytest.fixture
def handed():
    """handed(giver, receiver, serials, **what) → the completed hand-over, both present, messages carried."""

    def do(giver, receiver, serials, bag="", place_id=None, **what):
        row = begin_hand_over(giver, serials=serials, bag=bag, **{"reason": "按计划", **what})
        present(giver, row.digest)
        give_hand_over(giver, number=row.number, digest=row.digest)
        carry_all()
        present(receiver, row.digest)
        made = complete_hand_over(receiver, number=row.number, digest=row.digest, bag=bag, place_id=place_id)
        carry_all()
        return made

    return do


@pytest.fixture
def approved_order(people):
    """approved_order("p-keeper", kind, count) → the order's number, approved by whoever is asked."""

    def do(login, kind="transmission_key_card", count=2):
        order = order_carriers(people[login], kind=kind, count=count, purpose="年度密钥分发")
        carry_all()
        if login.startswith("c-"):
            decided(people["p-approver"], Proposal.objects.get(number=order.approval, organisation_id="460000"))
            carry_all()
        decided(people["m-approver"], Proposal.objects.get(number=order.approval, organisation_id="000000"))
        carry_all()
        assert CarrierOrder.objects.get(number=order.number, organisation_id="000000").state == "approved"
        return order.number

    return do


@pytest.fixture
def at_province(people, handed, approved_order):
    """Two transmission key cards, ordered by Hainan, issued, shipped in a sealed bag and received: their serials."""
    made = issue_carriers(
        people["m-keeper"], kind="transmission_key_card", count=2, order=approved_order("p-keeper"), batch="B-1"
    )
    serials = [carrier.serial for carrier in made]
    handed(
        people["m-keeper"],
        people["p-keeper"],
        serials,
        purpose="send",
        to="460000",
        bag="SEAL-0001",
        courier="机要通信",
    )
    return serials
