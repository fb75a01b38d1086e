"""A PSAM of the story: ordered, issued, loaded, in the pharmacy's terminal; at the end it is lost (K5, K8, K9)."""

from __future__ import annotations

from sheka.equipment.card_reader.psam import PsamSession
from sheka.equipment.card_reader.session import CardSession
from sheka.faces.story.carriers import drawer, hand_over
from sheka.faces.story.cast import HAIKOU, HAINAN, MINISTRY, acting
from sheka.faces.story.consent import approves
from sheka.faces.story.money_steps import balance_of, refused, terminal
from sheka.faces.story.stage import Stage, Step, must, until
from sheka.office.approvals.models import Proposal
from sheka.office.incidents.models import Incident
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.psams.actions.load_psam import load_psam
from sheka.systems.psams.actions.place_psam import activate_psam, bind_psam, describe_psam, ship_psam
from sheka.systems.psams.actions.stop_psam import report_psam_lost

READ_KEY = "RK1DF01"
"""A key of the national read-through files: the ministry's root, Haikou's sub-key."""


def order(stage: Stage) -> str:
    """K5: the city orders, the province examines, the ministry approves and issues; by hand to the city."""
    asked = order_carriers(acting("haikou-custodian"), kind="psam", count=1, purpose="药房终端安全模块")
    for place, login in ((HAINAN, "hainan-keys-2"), (MINISTRY, "ministry-keys-2")):
        seen = until(lambda place=place: _in_turn(place, asked.approval), "the order in turn")
        approves(stage, login, seen)
    (issued,) = issue_carriers(acting("ministry-custodian"), kind="psam", count=1, order=asked.number)
    hand_over(stage, [issued.serial], "ministry-custodian", "haikou-custodian-2", "send", "PSAM for Haikou")
    stage.made["psam"] = issued.serial
    return f"{asked.number} · PSAM {issued.serial}"


def put_in(stage: Stage) -> str:
    """K8: keys of the city's level through the machine, one terminal, shipped, activated, described."""
    serial, number = stage.made["psam"], stage.made["terminal"]
    reader = drawer(stage).reader(serial)
    hand_over(stage, [serial], "haikou-custodian", "haikou-keys", "use", "loading")
    loaded = load_psam(acting("haikou-keys"), serial=serial, reader=reader)
    hand_over(stage, [serial], "haikou-keys", "haikou-custodian-2", "keep", "loaded")
    hand_over(stage, [serial], "haikou-custodian", "haikou-acquiring", "use", "into the terminal")
    officer = acting("haikou-acquiring")
    bind_psam(officer, serial=serial, terminal=number, reader=reader)
    ship_psam(officer, serial=serial, receiver="药房收银台")
    activate_psam(officer, serial=serial)
    describe_psam(officer, serial=serial, form="id000", conditions="收银台终端内，室内常温", mode="terminal")
    values = ", ".join(f"{row['name']} {row['check_value']}" for row in loaded.keys[:2])
    return f"{len(loaded.keys)} keys ({values} …) in the terminal {number}"


def authenticate(stage: Stage) -> str:
    """C1, K8: card and PSAM prove to each other what they are; one factor leads from the city's key to the card's."""
    card, psam = stage.drawer.reader(stage.made["card"].number), drawer(stage).reader(stage.made["psam"])
    with CardSession(card) as holder, PsamSession(psam) as terminal_side:
        must(terminal_side.internal_authentication_of(holder), "the PSAM finds the card genuine")
        terminal_side.external_authentication_of(holder, READ_KEY)
    return f"IRK, {READ_KEY}"


def lose(stage: Stage) -> str:
    """K9: the PSAM is lost: both levels above are told, and its terminal pays no more."""
    serial = stage.made["psam"]
    report_psam_lost(acting("haikou-custodian"), serial=serial, how="演示：终端在搬迁中遗失，安全模块不知去向")
    number = Incident.objects.get(organisation=HAIKOU, kind="lost_psam").number
    for place in (HAINAN, MINISTRY):
        told = Incident.objects.filter(number=number, organisation=place)
        until(told.exists, "the incident at both levels above")
    before = balance_of(stage)

    def stopped() -> str:
        with terminal(stage, stan=900) as line:
            answer = line.purchase(stage.made["new_card"].number, 100)
        return "" if answer.approved else refused(answer)

    said = until(stopped, "the switch refusing the terminal")
    must(balance_of(stage) == before, "a refusal takes nothing")
    return f"{number} · {said}"


def _in_turn(place: str, number: object) -> Proposal | None:
    return Proposal.objects.filter(number=number, organisation=place, turn=place).first()


STEPS = [
    Step("K5", "海口申领 PSAM 卡，部级发放，双人交接", "Haikou orders a PSAM, the ministry issues it", order),
    Step("K8", "PSAM 卡装载密钥、绑定终端、启用", "The PSAM loaded, bound to its terminal, in use", put_in),
    Step("K8", "PSAM 与卡互相认证", "PSAM and card authenticate each other", authenticate),
]
LOSE = Step("K9", "PSAM 卡遗失：逐级报告，终端停用", "The PSAM is lost: told upwards, its terminal refused", lose)
