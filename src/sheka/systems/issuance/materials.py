"""What an application to issue must hold before anybody is asked to read it (I1)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor

APPLY = "issuance.apply"
"""The kind of the request."""
MATERIALS = {
    "implementation_plan": Term("实施方案", "Implementation plan"),
    "management_rules": Term("管理办法", "Management rules"),
    "card_surface_design": Term("卡面设计", "Design of the card surface"),
    "file_structure": Term("卡内文件结构", "File structure in the card"),
    "supplier_and_product": Term("供应商与产品", "Supplier and product"),
    "security_plan": Term("安全方案", "Security plan"),
}
APPLICANTS = frozenset((Kind.CITY, Kind.PROVINCE))


def must_be_complete(actor: Actor, payload: dict[str, Any]) -> None:
    """Raises Refused: ISSUANCE_WRONG_APPLICANT, ISSUANCE_MATERIALS, ISSUANCE_QUANTITY."""
    place = organisation(actor.organisation)
    if place.kind not in APPLICANTS:
        raise Refused(Code.ISSUANCE_WRONG_APPLICANT, organisation=Term(place.name, place.name_en))
    missing = [title for name, title in MATERIALS.items() if not str(payload["materials"].get(name) or "").strip()]
    if missing:
        listed = Term("、".join(title.zh for title in missing), ", ".join(title.en for title in missing))
        raise Refused(Code.ISSUANCE_MATERIALS, missing=listed)
    quantity = payload["quantity"]
    if not isinstance(quantity, int) or quantity <= 0:
        raise Refused(Code.ISSUANCE_QUANTITY, asked=quantity, left=0)
