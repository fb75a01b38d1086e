"""Requests for approval in the town: open, returned, rejected, expired, at home and at other levels; a right lent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from tests.support.approvals import decided

from sheka.faces.story.cast import HAINAN, MINISTRY, acting
from sheka.faces.story.issuance_steps import layout_digest
from sheka.faces.story.stage import until
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.approvals.actions.expire import expire_due
from sheka.office.approvals.actions.lend import lend
from sheka.office.approvals.models import Proposal
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.actions.submit_application import submit_application
from sheka.systems.issuance.materials import MATERIALS
from sheka.systems.keys.actions.propose_generation import propose_generation

PLANS = "实施方案已存档 <b>&</b>"
SANYA = "460200"
STAFF = (
    ("kb-clerk", "符知远", SANYA, ("issuance_clerk",)),
    ("kb-examiner", "岑照", HAINAN, ("examiner",)),
    ("dual-one", "裴清", MINISTRY, ("reviewer",)),
    ("dual-two", "虞安", MINISTRY, ("reviewer",)),
    ("haikou-approver", "柳如是山", "460100", ("approver",)),
)
"""People of the tests of approvals: log-in, name, place, roles."""


def requests_of_all_kinds() -> dict[str, int]:
    """Make them; by what they are for: the key of the copy on which somebody acts next."""
    returned = _at(HAINAN, _apply("sanya-desk", 20_000))
    decided(acting("hainan-examiner"), returned, "supplement", "请补充安全方案 <i>2026</i>")
    rejected = _at(HAINAN, _apply("sanya-desk", 90_000_000))
    decided(acting("hainan-examiner"), rejected, "reject", "数量超出参保人数")
    dual, dual_too = (_at(HAINAN, _apply("sanya-desk", quantity)) for quantity in (30_000, 31_000))
    for made in (dual, dual_too):
        decided(acting("hainan-examiner"), made, "approve", "材料齐全")
    travelling = _at(HAINAN, _apply("kb-clerk", 40_000))
    wanted = ((Algorithm.SM4, 2), (Algorithm.SM4, 3), (Algorithm.TDES, 2))
    officer = acting("haikou-keys")
    keys = [propose_generation(officer, algorithm=algorithm, version=number) for algorithm, number in wanted]
    Proposal.objects.filter(pk=keys[2].pk).update(due_at=timezone.now() - timedelta(minutes=1))
    expire_due()
    today = timezone.localdate()
    lend(
        acting("haikou-keys-2"),
        permission=Permission.KEY_DECIDE,
        to=acting("haikou-planner").staff_id or 0,
        valid_from=today,
        valid_to=today + timedelta(days=30),
        reason="外出培训",
    )
    home = until(lambda: _held(SANYA, returned, state="returned"), "the return at home")
    return {
        "returned": home.pk,
        "rejected": rejected.pk,
        "dual": _at(MINISTRY, dual).pk,
        "dual_too": _at(MINISTRY, dual_too).pk,
        "travelling": travelling.pk,
        "keys": keys[0].pk,
        "keys_too": keys[1].pk,
        "expired": keys[2].pk,
    }


def _apply(login: str, quantity: int) -> Proposal:
    return submit_application(
        acting(login),
        materials=dict.fromkeys(MATERIALS, PLANS),
        quantity=quantity,
        layout_digest=layout_digest(),
        scope="三亚市全体参保人员",
    )


def _held(place: str, made: Proposal, **state: Any) -> Proposal | None:
    return Proposal.objects.filter(number=made.number, organisation_id=place, **state).first()


def _at(place: str, made: Proposal) -> Proposal:
    """The copy of the organisation whose turn it is, when the message has come."""
    return until(lambda: _held(place, made, turn=place), f"the request at {place}")
