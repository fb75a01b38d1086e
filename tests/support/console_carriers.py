"""Carriers in the town as a custodian's desk has them: put away, in a hand-over, counted, for a third party, listed for
destruction; and an order that waits.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from sheka.faces.story.cast import HAIKOU, acting, installer
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over
from sheka.systems.custody.actions.count_stock import count_stock, open_count
from sheka.systems.custody.actions.destroy_carriers import list_destruction
from sheka.systems.custody.actions.entrust_carriers import prepare_entrustment, register_filing
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.custody.actions.places import add_place, store_carrier

PARTY = "000000-F1"


def carriers_in_the_town() -> dict[str, str]:
    """Made by the ministry's and Haikou's custodians; by what they are for: serials and numbers."""
    keeper, second = acting("ministry-custodian"), acting("ministry-custodian-2")
    serials = [row.serial for row in issue_carriers(keeper, kind="key_mother_card", count=3, batch="KB-1")]
    safe = add_place(keeper, name="一号保险柜 <b>&</b>")
    shelf = add_place(keeper, name="上层", parent_id=safe.pk)
    for serial in serials:
        store_carrier(keeper, serial, shelf.pk)
    add_place(keeper, name="空柜")
    sheet = open_count(keeper, place_id=safe.pk)
    count_stock(keeper, number=sheet.number, serials=serials)
    count_stock(second, number=sheet.number, serials=serials)
    begun = begin_hand_over(keeper, serials=serials[:1], purpose="use", reason="仪式演练", receiver="ministry-keys")
    listed = list_destruction(keeper, serials=serials[1:2], method="shred", reason="芯片到期")
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
    open_one = open_count(second, place_id=add_place(second, name="二号保险柜").pk)
    return {
        "carrier": serials[2],
        "hand_over": begun.number,
        "destruction": listed.number,
        "party": file.number,
        "order": order.number,
        "count": open_one.number,
        "at": HAIKOU,
    }
