"""An organisation is not closed while carriers are in its hands."""

from __future__ import annotations

from sheka.office.organisations.closing import keeps_open
from sheka.systems.custody.models import Carrier, HandOver
from sheka.systems.custody.states import HELD, RUNNING


@keeps_open("密钥载体", "key carriers")
def carriers_held(code: str) -> int:
    return Carrier.objects.filter(organisation_id=code, state__in=(*HELD, "in_transit", "entrusted")).count()


@keeps_open("未完成的载体交接", "hand-overs of carriers")
def hand_overs_running(code: str) -> int:
    return HandOver.objects.filter(organisation_id=code, state__in=RUNNING).count()
