"""What the actions on the registry share (S4): the locked row, the person behind an account, values that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.regions import region as region_named
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.queries import person_of
from sheka.systems.transactions.models import Institution, InstitutionKind, Terminal

DETAILS = ("name", "kind", "contract", "contract_from", "contract_to", "region", "address", "contact", "phone")
PLACING = ("model", "serial", "software", "place", "region", "latitude", "longitude")


def person_behind(actor: Actor) -> str:
    """The person of the account that acts; "" for a process of the node, which is no person."""
    return person_of(actor.staff_id) if actor.staff_id is not None else ""


def locked(actor: Actor, code: str) -> Institution:
    """The institution, locked; a test side is reached through its institution only.

    Raises Refused: INSTITUTION_UNKNOWN, ORGANISATION_OUT_OF_REACH.
    """
    found = Institution.objects.select_for_update().filter(code=code, test_of=None).first()
    if found is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    actor.must_act_for(found.organisation_id)
    return found


def details_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Refused(REGISTRATION_VALUE) for what is unknown, too long, or does not fit."""
    found = _texts(Institution, DETAILS, given)
    if "name" in found and not found["name"]:
        raise wrong("name", "不能为空", "it is empty")
    if "kind" in found and found["kind"] not in InstitutionKind.values:
        raise wrong("kind", "不是已知的类别", "not one of the kinds")
    first, last = found.get("contract_from"), found.get("contract_to")
    if first is not None and last is not None and first >= last:
        raise wrong("contract_to", "早于或等于起始日", "not after the first day")
    return found


def placing_of(given: Mapping[str, Any]) -> dict[str, Any]:
    found = _texts(Terminal, PLACING, given)
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = found.get(name)
        if value is not None:
            found[name] = value = Decimal(str(value)).quantize(Decimal("0.001"))
            if abs(value) > most:
                raise wrong(name, f"超出±{most}度", f"beyond ±{most} degrees")
    return found


def _texts(model: type[Institution | Terminal], known: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in given.items():
        if name not in known:
            raise wrong(name, "没有这一项", "there is no such value")
        longest = model._meta.get_field(name).max_length  # type: ignore[union-attr]
        clean = value.strip() if isinstance(value, str) else value
        if name.startswith("contract_") and not isinstance(clean, date | None):
            raise wrong(name, "不是日期", "not a date")
        if longest is not None and (not isinstance(clean, str) or len(clean) > longest or "\0" in clean):
            raise wrong(name, f"最多{longest}个字符", f"at most {longest} characters")
        if name == "region" and clean:
            region_named(clean)
        found[name] = clean
    return found


def wrong(field: str, zh: str, en: str) -> Refused:
    return Refused(Code.REGISTRATION_VALUE, field=field, problem=Term(zh, en))
