"""A card in use gets the city's newer keys over the reader, and stays genuine through all of it (K1, K2, C1)."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import timezone
from typer.testing import CliRunner

from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.card_reader.verdict import facts_of
from sheka.faces.cli.main import application
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.systems.cards.actions.check_card import check_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.judge_card import judge_card
from sheka.systems.cards.actions.personalise_card import produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.rekey_card import rekey_card
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import life_line
from sheka.systems.keys.catalogue import entries, usage_at
from sheka.systems.keys.models import Key

pytestmark = pytest.mark.django_db
CITY = "460100"


@pytest.fixture
def card(make, staff, chips):
    """A card with its holder, made with version 1."""
    made = produce_card(staff["producer"], card=make.numbered(), drawer=chips)
    receive_stock(staff["clerk"], cards=[made])
    hand_out_card(staff["clerk"], card=made, identity=make.identity(made))
    Card.objects.filter(pk=made.pk).update(state="active")
    made.refresh_from_db()
    return made


@pytest.fixture(scope="module")
def second_keys(machine):
    """Version 2 of every SM4 key in the machine."""
    return {
        entry.name: machine.generate(
            f"{entry.name}-SM4", Algorithm.SM4, usage_at("city", entry.name), 2, owner=CITY, diversified=True
        )
        for entry in entries()
    }


@pytest.fixture
def rotated(keys, second_keys):
    """The city has activated version 2."""
    Key.objects.bulk_create(
        Key(
            organisation_id=CITY,
            name=name,
            algorithm=Algorithm.SM4,
            version=2,
            usage=info.usage,
            owner_level="city",
            reference=info.ref,
            check_value=info.check_value,
            origin="imported",
            state="active",
            since=timezone.now(),
        )
        for name, info in second_keys.items()
    )


def verdict_of(chips, card):
    with CardSession(chips.reader(card.number)) as session:
        return judge_card(Actor.process("partner", CITY), facts=facts_of(session))


@pytest.mark.req("K1", "K2", "C1")
def test_a_card_gets_the_newer_version_and_is_genuine_before_and_after(card, rotated, staff, chips, refused):
    reader = chips.reader(card.number)
    done = rekey_card(staff["producer"], card=card, reader=reader)
    assert (done.key_version, done.version) == (2, card.version + 1)
    assert check_card(staff["clerk"], reader=reader) == card
    assert verdict_of(chips, card).passed
    assert {"更换密钥", "Given new keys"} & {event.title for event in life_line(done)}
    assert '"version":2' in Event.objects.get(event="card.rekeyed").facts
    refused(Code.CARD_REKEY_VERSION, lambda: rekey_card(staff["producer"], card=done, reader=reader))


@pytest.mark.req("K1", "C1")
def test_the_old_version_is_retired_and_even_destroyed_and_the_card_stays_genuine(card, rotated, staff, chips):
    rekey_card(staff["producer"], card=card, reader=chips.reader(card.number))
    Key.objects.filter(version=1, algorithm=Algorithm.SM4).update(state="retired")
    assert verdict_of(chips, card).passed
    assert check_card(staff["clerk"], reader=chips.reader(card.number)) == card
    Key.objects.filter(version=1, algorithm=Algorithm.SM4).update(state="destroyed")
    assert check_card(staff["clerk"], reader=chips.reader(card.number)) == card
    verdict = verdict_of(chips, card)
    assert verdict.failed is None
    assert verdict.results[3].outcome == "not_made", "the code's key is gone, so the code proves nothing either way"


@pytest.mark.req("K2")
def test_a_record_that_was_lost_after_the_chip_was_done_is_made_good(card, rotated, staff, chips):
    rekey_card(staff["producer"], card=card, reader=chips.reader(card.number))
    Card.objects.filter(pk=card.pk).update(key_version=1)
    assert check_card(staff["clerk"], reader=chips.reader(card.number)) == card
    assert rekey_card(staff["producer"], card=card, reader=chips.reader(card.number)).key_version == 2


def test_what_cannot_be_given_new_keys_is_refused_and_unchanged(card, rotated, make, staff, chips, refused):
    other = produce_card(staff["producer"], card=make.numbered(), drawer=chips)
    again = lambda reader: rekey_card(staff["producer"], card=card, reader=reader)  # noqa: E731
    refused(Code.CARD_OTHER_IN_READER, lambda: again(chips.reader(other.number)))
    Card.objects.filter(pk=card.pk).update(chip_serial=f"?{card.number}")
    refused(Code.CARD_REKEY_CLOSED, lambda: again(chips.reader(card.number)))
    card.refresh_from_db()
    assert card.key_version == 1


def test_the_command_does_it_once(card, rotated, chips):
    chips.folder.rename(chips.folder.parent / "chips")
    words = ["card", "rekey", card.number, "--config", str(settings.NODE.path), "--world", str(chips.folder.parent)]
    done = CliRunner().invoke(application(), words)
    assert (done.exit_code, "key version 2" in done.output) == (0, True), done.output
    again = CliRunner().invoke(application(), words)
    assert isinstance(again.exception, Refused) and again.exception.code is Code.CARD_REKEY_VERSION
