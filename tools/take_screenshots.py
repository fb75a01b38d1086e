"""Takes the README's pictures of the console from a running demo world: a card in exchange, in Chinese and English.

    .venv/bin/python tools/take_screenshots.py http://127.0.0.1:8000 var/demo [docs/images]

Needs Chromium and the test packages. When no card of the world is in exchange, one is brought to it first, as the story
does: the chip breaks, the reader says so, the holder's father applies.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from sheka.equipment.server.node import VARIABLE

LOGIN = "longhua-clerk"
SIZE = {"width": 1366, "height": 1160}
PICTURES = {"card.png": "zh-CN", "card-en.png": "en-GB"}
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
LARGEST = 250_000


def card_in_exchange(world: Path) -> str:
    """The number of a card whose exchange runs."""
    os.environ[VARIABLE] = str(world / "node.toml")
    os.environ["DJANGO_SETTINGS_MODULE"] = "sheka.config.settings"
    import django

    django.setup()
    from django.db import connections

    from sheka.office.scope import whole_node
    from sheka.systems.cards.models import ExchangeCase

    with whole_node("a photographer looks for a card wherever it is"):
        running = ExchangeCase.objects.filter(state="in_production", proxy_relation__gt="").first()
        number = str(running.old_card) if running else _exchanged(world)
    connections.close_all()
    return number


def _exchanged(world: Path) -> str:
    from sheka.equipment.initialisation.drawer import IN_NODE, ChipDrawer
    from sheka.faces.story.cast import HAIKOU, acting
    from sheka.foundation.people import synthetic_people
    from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
    from sheka.systems.cards.actions.check_card import examine_card
    from sheka.systems.cards.actions.number_cards import number_cards
    from sheka.systems.cards.documents import Document, DocumentKind, Identity, Proxy
    from sheka.systems.cards.fees import Cause, Ground
    from sheka.systems.cards.models import Card

    clerk, drawer = acting(LOGIN), ChipDrawer(world / IN_NODE)
    card = Card.objects.filter(state="active", exchange_for=None).select_related("person").order_by("pk")[2]
    drawer.break_chip(card.number)
    finding = examine_card(clerk, card=card, reader=drawer.reader(card.number))
    father = synthetic_people(1, HAIKOU, seed="screenshots")[0]
    case = apply_exchange(
        clerk,
        card=card,
        ground=Ground.DAMAGED,
        identity=Identity(card.person.name, card.person.social_security_number),
        documents=[
            Document(DocumentKind.HOLDER_ID, original=True, copy=True),
            Document(DocumentKind.OLD_CARD, number=str(card), original=True),
            Document(DocumentKind.PROXY_ID, original=True, copy=True),
        ],
        proxy=Proxy(father.name, father.social_security_number, "父亲"),
        damage=Damage(reader=finding, cause=Cause.QUALITY_DEFECT),
    )
    number_cards(acting("haikou-producer"), cards=[case.new_card])
    return str(card.number)


def take(browser: Browser, address: str, password: str, card: str, folder: Path) -> None:
    """Sign in once, then the card's page in each language."""
    page = browser.new_page(viewport=SIZE, locale="zh-CN")
    page.goto(f"{address}/sign-in")
    page.fill("#login", LOGIN)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.fill("#code", page.inner_text("#demo-code", timeout=35_000))
    page.press("#code", "Enter")
    page.wait_for_url(f"{address}/")
    state = page.context.storage_state()
    for name, locale in PICTURES.items():
        page = browser.new_page(viewport=SIZE, locale=locale, storage_state=state)
        page.goto(f"{address}/cards/{card}")
        page.wait_for_load_state("networkidle")
        picture = page.screenshot(path=folder / name)
        print(f"{folder / name}: {len(picture):,} bytes")
        if len(picture) > LARGEST:
            raise SystemExit(f"{name} is larger than {LARGEST:,} bytes")


def main(address: str, world: Path, folder: Path) -> None:
    """Both pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    card = card_in_exchange(world)
    password = (world / "demo-password.txt").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        take(browser, address.rstrip("/"), password, card, folder)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3] if len(sys.argv) == 4 else "docs/images"))
