"""Where an organisation of each kind may stand in the tree, and what its code looks like."""

from __future__ import annotations

import re

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Kind, Organisation

NAMES: dict[Kind, Term] = {
    Kind.MINISTRY: Term("部级", "ministry"),
    Kind.PROVINCE: Term("省级", "province"),
    Kind.CITY: Term("市级", "city"),
    Kind.DISTRICT: Term("区县经办机构", "district office"),
    Kind.OUTLET: Term("服务网点", "service outlet"),
    Kind.CARD_CENTRE: Term("卡中心服务网点", "card centre outlet"),
    Kind.HOSPITAL: Term("医院", "hospital"),
    Kind.PHARMACY: Term("药店", "pharmacy"),
    Kind.BANK: Term("银行", "bank"),
    Kind.CARD_FACTORY: Term("制卡厂", "card factory"),
    Kind.PSAM_SUPPLIER: Term("PSAM卡供应商", "PSAM supplier"),
    Kind.MACHINE_SUPPLIER: Term("设备供应商", "machine supplier"),
    Kind.SECURITY_COMPANY: Term("押运公司", "security company"),
}
NOWHERE = Term("无", "none")
_OFFICES = frozenset({Kind.PROVINCE, Kind.CITY, Kind.DISTRICT})
_PURCHASERS = frozenset({Kind.MINISTRY, Kind.PROVINCE, Kind.CITY})
MAY_STAND_UNDER: dict[Kind, frozenset[Kind]] = {
    Kind.MINISTRY: frozenset(),
    Kind.PROVINCE: frozenset({Kind.MINISTRY}),
    Kind.CITY: frozenset({Kind.PROVINCE}),
    Kind.DISTRICT: frozenset({Kind.CITY}),
    Kind.OUTLET: _OFFICES,
    Kind.CARD_CENTRE: frozenset({Kind.PROVINCE, Kind.CITY}),
    Kind.HOSPITAL: _OFFICES,
    Kind.PHARMACY: _OFFICES,
    Kind.BANK: _OFFICES | {Kind.MINISTRY},
    Kind.CARD_FACTORY: _PURCHASERS,
    Kind.PSAM_SUPPLIER: _PURCHASERS,
    Kind.MACHINE_SUPPLIER: _PURCHASERS,
    Kind.SECURITY_COMPANY: _PURCHASERS,
}
"""A partner stands under the bureau that contracts it; nothing stands under a counter or a partner."""
_CODED_BY_REGION = frozenset({Kind.MINISTRY, Kind.PROVINCE, Kind.CITY, Kind.DISTRICT})
_REGION = re.compile(r"[0-9]{6}", re.ASCII)
_OWN = re.compile(r"(?=.{1,20}\Z)[0-9A-Z]+(-[0-9A-Z]+)?", re.ASCII)


def must_fit(kind: Kind, above: Organisation | None) -> None:
    """Raises Refused(ORGANISATION_WRONG_PLACE) when no organisation of this kind stands there."""
    if above is None and kind is Kind.MINISTRY:
        return
    if above is None or Kind(above.kind) not in MAY_STAND_UNDER[kind]:
        under = NAMES[Kind(above.kind)] if above else NOWHERE
        raise Refused(Code.ORGANISATION_WRONG_PLACE, kind=NAMES[kind], parent=under)


def must_be_a_code(code: str, kind: Kind, region: str) -> None:
    """A bureau's code is its region; another's is not six digits alone. Raises Refused(ORGANISATION_CODE).

    The shape is also what makes a label of the tree: nothing that ltree would read as a pattern passes.
    """
    right = code == region if kind in _CODED_BY_REGION else _OWN.fullmatch(code) and not _REGION.fullmatch(code)
    if not right or not _REGION.fullmatch(region):
        raise Refused(Code.ORGANISATION_CODE, organisation=code)
