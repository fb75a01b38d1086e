"""The story's end: the chip breaks, the exchange by proxy, the old card's destruction, a counterfeit (R1-R8, C1)."""

from __future__ import annotations

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.faces.story.cast import CENTRE, acting
from sheka.faces.story.chips import forged_copy
from sheka.faces.story.stage import Stage, Step, must, must_refuse
from sheka.foundation.refusals import Code
from sheka.systems.accounts.queries import account_of, balance
from sheka.systems.cards.actions.activate_card import activate_card
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.check_card import check_card, examine_card
from sheka.systems.cards.actions.collect_exchange import collect_exchange
from sheka.systems.cards.actions.destroy_cards import close_destruction, create_destruction, witness_destruction
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.personalise_card import produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.return_old_cards import receive_old_cards, send_old_cards
from sheka.systems.cards.documents import Document, DocumentKind, Identity, Proxy
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import card_named, life_line

NEW_PIN = "280716"


def chip_breaks(stage: Stage) -> str:
    """R7: the reader itself finds that the chip gives no answer."""
    card = stage.made["card"]
    stage.drawer.break_chip(card.number)
    finding = examine_card(acting("longhua-clerk"), card=card, reader=stage.drawer.reader(card.number))
    must(not finding.readable, "a dead chip is found unreadable")
    stage.made["finding"] = finding
    return str(finding.sentence.en)


def apply_without_papers(stage: Stage) -> str:
    """R1, R7: without the documents there is no exchange."""
    return must_refuse(Code.EXCHANGE_DOCUMENT_MISSING, lambda: _apply(stage, documents=[]))


def apply_by_proxy(stage: Stage) -> str:
    """R1, R2, R5: by proxy, free within a year, ready on the seventh working day."""
    case = _apply(stage, documents=_documents(stage))
    stage.made["exchange"] = case
    must(case.fee_fen == 0 and case.fee_working["rule"] == "free_within_term", "a quality defect within a year is free")
    must(sum(day["working"] for day in case.due_strip) == 7, "seven working days are counted")
    when = f"{case.due_on.isoformat()}{' (provisional)' if case.due_provisional else ''}"
    return f"{case.number} · {when} · {case.proof_number}"


def make_new_card(stage: Stage) -> str:
    """S2: the new card is numbered, personalised, read back, and goes to the outlet of the application."""
    producer = acting("haikou-producer")
    card = number_cards(producer, cards=[stage.made["exchange"].new_card])[0]
    produce_card(producer, card=card, drawer=stage.drawer)
    new = receive_stock(acting("longhua-clerk"), cards=[Card.objects.get(pk=card.pk)])[0]
    stage.made["new_card"] = new
    return f"{stage.made['card'].number} → {new.number}"


def collect(stage: Stage) -> str:
    """R3, R6: collected where it was applied for; the old card is handed in; the account is the same."""
    clerk, case = acting("longhua-clerk"), stage.made["exchange"]
    before = balance(account_of(case.person_id))
    shown = [
        Document(DocumentKind.CONFIRMATION, number=case.number, original=True),
        Document(DocumentKind.HOLDER_ID, original=True),
        Document(DocumentKind.PROXY_ID, original=True, copy=True),
    ]
    collect_exchange(
        clerk,
        number=case.number,
        identity=_identity(stage),
        documents=shown,
        old_card=str(stage.made["card"]),
        proxy=_proxy(stage),
    )
    new = Card.objects.get(pk=stage.made["new_card"].pk)
    activate_card(clerk, card=new, reader=stage.drawer.reader(new.number), old_pin="123456", new_pin=NEW_PIN)
    must(balance(account_of(case.person_id)) == before, "nothing is lost when the new card takes over")
    must(Card.objects.get(pk=stage.made["card"].pk).state == "handed_in", "the old card was handed in")
    return f"{new.number} active"


def destroy(stage: Stage) -> str:
    """R4: old cards go to the card centre and are destroyed together before two witnesses."""
    old = Card.objects.get(pk=stage.made["card"].pk)
    transfer = send_old_cards(acting("longhua-clerk"), cards=[old], to=CENTRE)
    keeper = acting("centre-keeper")
    receive_old_cards(keeper, number=transfer.number, counted=[str(old)])
    batch = create_destruction(keeper, cards=[Card.objects.get(pk=old.pk)], method="shred")
    must_refuse(Code.DESTRUCTION_WITNESSES, lambda: close_destruction(keeper, number=batch.number))
    for witness in ("centre-witness-1", "centre-witness-2"):
        witness_destruction(acting(witness), number=batch.number, list_digest=batch.list_digest)
    close_destruction(keeper, number=batch.number)
    gone = Card.objects.get(pk=old.pk)
    must(gone.state == "destroyed", "the old card is destroyed")
    return f"{batch.number} · {len(life_line(gone))} events in its life"


def counterfeit(stage: Stage) -> str:
    """C1: a card with all the right files and a wrong IRK is found out."""
    number = stage.made["new_card"].number
    forged = forged_copy(stage.drawer, number)
    clerk = acting("longhua-clerk")
    check_card(clerk, reader=stage.drawer.reader(number))
    told = must_refuse(Code.CARD_COUNTERFEIT, lambda: check_card(clerk, reader=InProcessReader(forged)))
    must(card_named(clerk, number).state == "active", "the genuine card is not harmed")
    return told


def _apply(stage: Stage, documents: list[Document]) -> object:
    return apply_exchange(
        acting("longhua-clerk"),
        card=stage.made["card"],
        ground=Ground.DAMAGED,
        identity=_identity(stage),
        documents=documents,
        proxy=_proxy(stage),
        damage=Damage(reader=stage.made["finding"], cause=Cause.QUALITY_DEFECT),
    )


def _documents(stage: Stage) -> list[Document]:
    return [
        Document(DocumentKind.HOLDER_ID, original=True, copy=True),
        Document(DocumentKind.OLD_CARD, number=str(stage.made["card"]), original=True),
        Document(DocumentKind.PROXY_ID, original=True, copy=True),
    ]


def _identity(stage: Stage) -> Identity:
    person = stage.made["card"].person
    return Identity(person.name, person.social_security_number)


def _proxy(stage: Stage) -> Proxy:
    person = stage.made["proxy"]
    return Proxy(person.name, person.social_security_number, "父亲")


STEPS = [
    Step("R7", "芯片损坏：由读卡设备给出检测结论", "The chip breaks: the reader's own finding", chip_breaks),
    Step("R1", "材料不齐不予受理", "Without the documents there is no exchange", apply_without_papers),
    Step(
        "R5",
        "代办换卡：一年内质量问题免费，7个工作日领卡",
        "Exchange by proxy: free, due in 7 working days",
        apply_by_proxy,
    ),
    Step("S2", "制作新卡并送达受理网点", "The new card is made and reaches the outlet", make_new_card),
    Step("R3", "在受理网点领取新卡，交回旧卡", "Collected at the outlet, old card handed in", collect),
    Step("R4", "旧卡送卡中心，双人见证统一销毁", "Old card destroyed in a batch with two witnesses", destroy),
    Step("C1", "识别伪卡（IRK 不符）", "A counterfeit with a wrong IRK is detected", counterfeit),
]
