"""The story's middle: people, their cards, their first PIN (S2, S3)."""

from __future__ import annotations

import csv
import io

from sheka.faces.story.cast import HAIKOU, OUTLET, acting
from sheka.faces.story.issuance_steps import layout_digest
from sheka.faces.story.stage import Stage, Step, must
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.people import SyntheticPerson, synthetic_people
from sheka.systems.cards.actions.activate_card import activate_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.import_people import import_people
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.actions.personalise_card import produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.documents import Identity
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import people_without_card

PEOPLE = 200
OLD_CHIPS = 10
HANDED_OUT, ACTIVATED = 120, 100
INITIAL_PIN, FIRST_PIN = "123456", "741963"
COLUMNS = ("social_security_number", "name", "sex", "birth", "ethnic_group", "phone", "address")


def import_file(stage: Stage) -> str:
    """Bad rows are reported by line and reason, good rows are kept."""
    people = synthetic_people(PEOPLE + 1, HAIKOU, seed="story")
    batch = import_people(acting("haikou-planner"), file=people_file(people[:PEOPLE]), file_name="people.csv")
    must(batch.added == PEOPLE, f"{PEOPLE} good rows are kept, not {batch.added}")
    reported = list(batch.lines.filter(outcome="refused").order_by("line"))
    must([row.line for row in reported] == [PEOPLE + 2, PEOPLE + 3, PEOPLE + 4], "the three bad rows by their lines")
    stage.made["proxy"] = people[PEOPLE]
    return f"{batch.added} + {batch.refused} refused: " + ", ".join(
        f"line {row.line} no. {row.code}" for row in reported
    )


def order(stage: Stage) -> str:
    """I6: ordered under the city's right; most on SM4 chips, some on 3DES chips."""
    planner = acting("haikou-planner")
    people = list(people_without_card(planner).order_by("pk"))
    kinds = ((people[OLD_CHIPS:], "3.00", Algorithm.SM4), (people[:OLD_CHIPS], "2.00", Algorithm.TDES))
    cards: list[Card] = []
    for holders, specification, algorithm in kinds:
        batch = order_cards(
            planner,
            people=holders,
            outlet=OUTLET,
            layout_digest=layout_digest(),
            specification=specification,
            algorithm=algorithm,
        )
        cards += number_cards(acting("haikou-producer"), cards=list(batch.cards.order_by("pk")))
    stage.made["cards"] = [card.pk for card in cards]
    return f"{len(cards)} cards, {cards[0].number} … {cards[-1].number}"


def personalise(stage: Stage) -> str:
    """H3: every blank chip personalised through a reader, keys wrapped by the machine, and read back."""
    producer = acting("haikou-producer")
    for card in _cards(stage):
        produce_card(producer, card=card, drawer=stage.drawer)
    return f"{len(stage.made['cards'])} chips"


def hand_out(stage: Stage) -> str:
    """The outlet takes them in; the first holders come with their ID cards."""
    clerk = acting("longhua-clerk")
    receive_stock(clerk, cards=_cards(stage))
    served = _cards(stage)[:HANDED_OUT]
    for card in served:
        person = card.person
        hand_out_card(clerk, card=card, identity=Identity(person.name, person.social_security_number))
    return f"{len(served)} of {len(stage.made['cards'])}"


def activate(stage: Stage) -> str:
    """The initial PIN is changed on the card itself before it can be used."""
    clerk = acting("longhua-clerk")
    served = Card.objects.filter(pk__in=stage.made["cards"], state="handed_out").select_related("person").order_by("pk")
    for card in served[:ACTIVATED]:
        activate_card(clerk, card=card, reader=stage.drawer.reader(card.number), old_pin=INITIAL_PIN, new_pin=FIRST_PIN)
    active = Card.objects.filter(pk__in=stage.made["cards"], state="active").order_by("pk")
    stage.made["card"] = active.select_related("person").first()
    return f"{len(active)} active, the story follows {stage.made['card'].number}"


def people_file(people: list[SyntheticPerson]) -> bytes:
    """A CSV as a bureau sends it, with three rows at the end that cannot be right."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    rows = [
        [
            one.social_security_number,
            one.name,
            int(one.sex),
            one.birth.isoformat(),
            one.ethnic_group,
            one.phone,
            one.address,
        ]
        for one in people
    ]
    wrong_check = [*rows[0]]
    last = wrong_check[0][-1]
    wrong_check[0] = wrong_check[0][:-1] + ("0" if last != "0" else "1")
    no_name, short = [*rows[1]], [*rows[2]]
    no_name[1], short[0] = "", short[0][:15]
    writer.writerows([*rows, wrong_check, no_name, short])
    return text.getvalue().encode()


def _cards(stage: Stage) -> list[Card]:
    return list(Card.objects.filter(pk__in=stage.made["cards"]).select_related("person").order_by("pk"))


STEPS = [
    Step("S2", "导入200名虚构人员，逐行报告错误", "200 synthetic people imported, bad rows by line", import_file),
    Step("I6", "在批准数量内订卡、编号", "Cards ordered within the right, and numbered", order),
    Step("H3", "芯片个人化并回读核对", "Chips personalised and read back", personalise),
    Step("S3", "网点入库、发卡", "Taken into stock and handed out", hand_out),
    Step("H4", "激活：修改初始密码", "Activated: the initial PIN changed", activate),
]
