"""Who and what the story leaves out and a page of the console must show: run inside the town that is being made."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests.support.console_requests import STAFF as REQUEST_STAFF

from sheka.faces.story.cast import HAIKOU, HAINAN, OUTLET, PHARMACY, acting, installer
from sheka.faces.story.stage import Stage
from sheka.office.clients.actions.make_client import make_client
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.models import Kind
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actions.grant_role import grant_role
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.change_state import freeze_account
from sheka.systems.accounts.queries import account_of
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.block_card import block_card
from sheka.systems.cards.actions.check_card import examine_card
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.report_loss import report_loss_temporarily
from sheka.systems.cards.documents import Document, DocumentKind, Identity, Proxy
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.models import Card, ExchangeCase

EMPTY_CITY = "460200"
CODES = {
    **{login: {"step": 10} for login in ("once-only", "changer", "idler", "mover")},
    **{login: {"step": 1, "tolerance": 60} for login, *_ in REQUEST_STAFF},
}
"""The authenticators whose next code tests wait for, and those of people who prove presence again and again."""
REASON = "持卡人来电 <b>&</b> '口述'"
STAFF: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("haikou-desk", "苏叶", HAIKOU, ("card_supervisor", "account_supervisor")),
    ("sanya-desk", "海棠", EMPTY_CITY, ("card_planner", "key_officer", "clearing_officer", "issuance_clerk")),
    ("no-role", "闲云", HAIKOU, ()),
    ("lock-me", "陆沉", HAIKOU, ("card_planner",)),
    ("once-only", "易安", HAIKOU, ("card_planner",)),
    ("way-in", "程门", HAIKOU, ("card_planner",)),
    ("keyboard", "简书", OUTLET, ("clerk",)),
    ("key-holder", "洛川", HAIKOU, ("card_planner",)),
    ("changer", "更新", HAIKOU, ("card_planner",)),
    ("idler", "闲庭", HAIKOU, ("card_planner",)),
    ("mover", "行远", OUTLET, ("clerk",)),
    ("waiter", "何待", OUTLET, ("clerk",)),
    ("sleeper", "何眠", OUTLET, ("clerk",)),
    ("pinless", "吴钥", HAIKOU, ("card_planner",)),
)


def more_people(password: str) -> None:
    """Somebody with two roles, somebody with none, and a city that has nothing yet."""
    since = date(timezone.localdate().year, 1, 1)
    add_organisation(
        installer(),
        code=EMPTY_CITY,
        name="三亚市社会保障卡管理中心",
        name_en="Sanya card centre",
        kind=Kind.CITY,
        region=EMPTY_CITY,
        parent=HAINAN,
        valid_from=since,
    )
    today = timezone.localdate()
    make_client(
        installer(),
        organisation_code=PHARMACY,
        name="椰风药房收银系统",
        scopes=[Permission.CARD_STATE, Permission.TRANSACTION_VIEW],
        valid_to=today + timedelta(days=365),
    )
    for login, name, place, roles in (*STAFF, *REQUEST_STAFF):
        staff = appoint_staff(
            installer(),
            login=login,
            name=name,
            person_id=f"test-{login}",
            organisation_code=place,
            password=password,
        )
        for role in roles:
            grant_role(installer(), staff=staff, role=role, valid_from=today, valid_to=today + timedelta(days=365))
        TOTPDevice.objects.create(user=staff, name="手机", confirmed=True, **CODES.get(login, {}))


def states_of_cards(stage: Stage) -> dict[str, Any]:
    """Bring cards to the states that the story does not leave behind; which card is what, with holder and number."""
    clerk, supervisor = acting("longhua-clerk"), acting("haikou-supervisor")
    active = list(Card.objects.filter(state="active").exclude(pk=stage.made["new_card"].pk).order_by("pk"))
    found = {"destroyed": stage.made["card"], "new": stage.made["new_card"]}
    for name in ("exchange", "paid", "late", "lost", "blocked", "frozen", "plain", "keyboard", "reported", "revealed"):
        found[name] = active.pop()
    found["exchange_new"] = _by_proxy(stage, found["exchange"])
    _at_cost(found["paid"])
    case = _at_cost(found["late"])
    ExchangeCase.objects.filter(pk=case.pk).update(due_on=timezone.localdate() - timedelta(days=3))
    report_loss_temporarily(clerk, card=found["lost"], how=REASON)
    block_card(supervisor, card=found["blocked"], reason="疑似冒用")
    account = account_of(found["frozen"].person_id)
    assert account is not None
    freeze_account(acting("haikou-desk"), number=account.number, reason="法院冻结", document="（2026）琼0106执12号")
    for state in ("in_stock", "handed_out"):
        first, second = Card.objects.filter(state=state).order_by("pk")[:2]
        found[state], found[f"{state}_2"] = first, second
    return {name: _told(card) for name, card in found.items()}


def _by_proxy(stage: Stage, card: Card) -> Card:
    """Free, by proxy, the chip found dead by the reader; the new card is numbered."""
    clerk = acting("longhua-clerk")
    stage.drawer.break_chip(card.number)
    finding = examine_card(clerk, card=card, reader=stage.drawer.reader(card.number))
    proxy = stage.made["proxy"]
    case = apply_exchange(
        clerk,
        card=card,
        ground=Ground.DAMAGED,
        identity=Identity(card.person.name, card.person.social_security_number),
        documents=[*_documents(card), Document(DocumentKind.PROXY_ID, original=True, copy=True)],
        proxy=Proxy(proxy.name, proxy.social_security_number, "父亲"),
        damage=Damage(reader=finding, cause=Cause.QUALITY_DEFECT),
    )
    return number_cards(acting("haikou-producer"), cards=[case.new_card])[0]


def _at_cost(card: Card) -> ExchangeCase:
    """In person, the surface worn: to be paid."""
    return apply_exchange(
        acting("longhua-clerk"),
        card=card,
        ground=Ground.DAMAGED,
        identity=Identity(card.person.name, card.person.social_security_number),
        documents=_documents(card),
        damage=Damage(surface="卡面磨损", cause=Cause.WEAR),
    )


def _documents(card: Card) -> list[Document]:
    return [
        Document(DocumentKind.HOLDER_ID, original=True, copy=True),
        Document(DocumentKind.OLD_CARD, number=str(card), original=True),
    ]


def _told(card: Card) -> dict[str, str]:
    card = Card.objects.select_related("person").get(pk=card.pk)
    return {"number": str(card), "name": card.person.name, "person": card.person.social_security_number}
