"""Carriers in the town as a custodian's desk has them: put away, in hand-overs that wait for either half, counted, for
a third party, listed for destruction with witnesses and without; an order that waits, and one to be issued.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.utils import timezone
from tests.support.approvals import decided, present

from sheka.faces.story.cast import HAIKOU, HAINAN, MINISTRY, acting, installer
from sheka.faces.story.stage import until
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.count_stock import count_stock, open_count
from sheka.systems.custody.actions.destroy_carriers import list_destruction, witness_carrier_destruction
from sheka.systems.custody.actions.entrust_carriers import prepare_entrustment, register_filing
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.custody.actions.places import add_place, store_carrier
from sheka.systems.custody.models import CarrierOrder

PARTY = "000000-F1"


def carriers_in_the_town() -> dict[str, str]:
    """Made by the ministry's and Haikou's custodians; by what they are for: serials and numbers."""
    keeper, second = acting("ministry-custodian"), acting("ministry-custodian-2")
    serials = [row.serial for row in issue_carriers(keeper, kind="key_mother_card", count=5, batch="KB-1")]
    safe = add_place(keeper, name="一号保险柜 <b>&</b>")
    shelf = add_place(keeper, name="上层", parent_id=safe.pk)
    for serial in serials:
        store_carrier(keeper, serial, shelf.pk)
    add_place(keeper, name="空柜")
    sheet = open_count(keeper, place_id=safe.pk)
    count_stock(keeper, number=sheet.number, serials=serials)
    count_stock(second, number=sheet.number, serials=serials)
    begun = begin_hand_over(keeper, serials=serials[:1], purpose="use", reason="仪式演练", receiver="ministry-keys")
    given = begin_hand_over(keeper, serials=serials[3:4], purpose="use", reason="制作母卡", receiver="ministry-keys")
    present(keeper, given.digest)
    give_hand_over(keeper, number=given.number, digest=given.digest)
    listed = list_destruction(keeper, serials=serials[1:2], method="shred", reason="芯片到期")
    seen = list_destruction(keeper, serials=serials[4:], method="shred", reason="芯片损坏")
    for witness in (acting("ministry-keys-2"), acting("ministry-auditor")):
        present(witness, seen.list_digest)
        witness_carrier_destruction(witness, number=seen.number, digest=seen.list_digest)
    today = timezone.localdate()
    add_organisation(
        installer(),
        code=PARTY,
        name="南洋制卡厂",
        name_en="Nanyang Cards",
        kind="card_factory",
        region="000000",
        parent="000000",
        valid_from=today,
    )
    filed = {"party": PARTY, "number": "备-2026-1", "filed_on": today, "valid_to": today + timedelta(days=700)}
    register_filing(keeper, **filed)
    file = prepare_entrustment(keeper, party=PARTY, purpose="批量写卡")
    order = order_carriers(acting("haikou-custodian"), kind="psam", count=5, purpose="药房终端安全模块")
    approved = order_carriers(acting("haikou-custodian"), kind="key_mother_card", count=2, purpose="城市密钥备份")
    for place, login in ((HAINAN, "hainan-keys-2"), (MINISTRY, "ministry-keys-2")):
        decided(acting(login), until(partial(_in_turn, place, approved), f"the order at {place}"))
    open_one = open_count(second, place_id=add_place(second, name="二号保险柜").pk)
    return {
        "carrier": serials[2],
        "hand_over": begun.number,
        "destruction": listed.number,
        "party": file.number,
        "order": order.number,
        "approved_order": approved.number,
        "count": open_one.number,
        "at": HAIKOU,
    }


def _in_turn(place: str, order: CarrierOrder) -> Proposal | None:
    return Proposal.objects.filter(number=order.approval, organisation=place, turn=place).first()
