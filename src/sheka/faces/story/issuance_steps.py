"""The story's beginning: may this city issue cards, and with which keys (S1, S2, I1-I6, K1-K3, K6)."""

from __future__ import annotations

from django.db import transaction

from sheka.faces.story import keys_of_the_story
from sheka.faces.story.cast import HAIKOU, HAINAN, MINISTRY, acting
from sheka.faces.story.consent import approves
from sheka.faces.story.stage import Stage, Step, must, must_refuse, until
from sheka.foundation.canonical import digest
from sheka.foundation.chip.profile import DEFAULT_PROFILE
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code
from sheka.office.approvals.models import Proposal
from sheka.systems.cards.models import IssuingRight
from sheka.systems.cards.queries import right_to_issue
from sheka.systems.issuance.actions.assign_number import file_number
from sheka.systems.issuance.actions.submit_application import submit_application
from sheka.systems.issuance.materials import MATERIALS
from sheka.systems.keys.queries import card_keys

QUANTITY = 100_000
ALGORITHMS = (Algorithm.SM4, Algorithm.TDES)


def layout_digest() -> str:
    """What was approved: the SM3 of the card profile together with the name of the surface (I4)."""
    return digest({"profile": sm3(DEFAULT_PROFILE.read_bytes()).hex(), "surface": "hainan-2026"})


def no_right_yet(stage: Stage) -> str:
    """I6: before the approval there is nothing to issue with."""
    return must_refuse(Code.ISSUANCE_NO_NUMBER, _right)


def apply(stage: Stage) -> str:
    """I2: the city submits to the province."""
    application = submit_application(
        acting("haikou-issuance"),
        materials=dict.fromkeys(MATERIALS, "on file, demonstration"),
        quantity=QUANTITY,
        layout_digest=layout_digest(),
        scope="Haikou, all insured residents",
    )
    stage.made["application"] = application
    return f"{application.number} · {QUANTITY:,}"


def examine(stage: Stage) -> str:
    """I2: preliminary examination by the province, on the copy that arrived."""
    number = stage.made["application"].number
    copy = until(lambda: _in_turn(HAINAN, number), "the application at the province")
    approves(stage, "hainan-examiner", copy, "materials complete")
    return copy.digest[:16]


def approve(stage: Stage) -> str:
    """I1, I3: review by two people of the ministry; the number comes back to the city as a right to issue."""
    number = stage.made["application"].number
    copy = until(lambda: _in_turn(MINISTRY, number), "the application at the ministry")
    first = approves(stage, "ministry-reviewer", copy, "meets the rules")
    must(first.state == "open", "one of two reviewers approves nothing")
    second = approves(stage, "ministry-reviewer-2", copy, "the same on a second reading")
    assigned = second.result["issuer"]["number"]
    file_number(acting("ministry-reviewer"), number=assigned, reference="NICRC-DEMO-0001")
    until(lambda: Proposal.objects.get(number=number, organisation=HAIKOU).state == "done", "the outcome at the city")
    stage.made["issuer_number"] = assigned
    must(_right().number == assigned, "the city's right carries the assigned number")
    return str(assigned)


def make_keys(stage: Stage) -> str:
    """K2, K3, K6: each level generates its keys in its own machine; one proposes, another consents."""
    made = sum(keys_of_the_story.generate(stage, place, ALGORITHMS) for place in (MINISTRY, HAINAN, HAIKOU))
    return f"{made} keys in 3 machines"


def pass_keys(stage: Stage) -> str:
    """K2, K5: sub-keys go down level by level on transmission key cards; the check values match at both ends."""
    keys_of_the_story.pass_down(stage, ALGORITHMS)
    irk = card_keys(HAIKOU, Algorithm.SM4)["IRK"]
    return f"IRK {irk.parent_check_value} → {irk.check_value}"


def _right() -> IssuingRight:
    """The city's right for one more card in the story's layout."""
    with transaction.atomic():
        return right_to_issue(HAIKOU, more=1, layout_digest=layout_digest())


def _in_turn(place: str, number: object) -> Proposal | None:
    return Proposal.objects.filter(number=number, organisation=place, turn=place).first()


STEPS = [
    Step("I6", "未经批准，海口不能发卡", "Without an approval Haikou may not issue", no_right_yet),
    Step("I2", "海口市提出发行申请", "Haikou applies to issue", apply),
    Step("I2", "海南省初审通过，转报部级", "Hainan examines and passes it on", examine),
    Step(
        "I3", "部级两人审核批准，统一分配发卡机构标识号", "Two of the ministry approve, the number is assigned", approve
    ),
    Step("K2", "三级加密机内生成密钥，双人控制", "Keys made in three machines under dual control", make_keys),
    Step("K2", "子密钥逐级分发，校验值一致", "Sub-keys to province and city, check values match", pass_keys),
]
