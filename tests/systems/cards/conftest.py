"""The world of the card tests: a city, two outlets, a card centre, their staff, a real encryption machine, people."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import timezone as zones
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.organisations import appoint, installer, tree

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.maker import ChipMaker
from sheka.equipment.server.files import make_socket_folder
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.people import synthetic_people
from sheka.foundation.refusals import Refused
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.actors import Actor
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.take_issuing_right import take_issuing_right
from sheka.systems.cards.documents import Document, DocumentKind, Identity, Proxy
from sheka.systems.cards.ledger import move
from sheka.systems.cards.models import Card, Person
from sheka.systems.keys.catalogue import entries, usage_at
from sheka.systems.keys.machines import close_machines
from sheka.systems.keys.models import Key

__all__ = ["appoint", "installer", "tree"]

CITY, OTHER_CITY = "460100", "460200"
OUTLET, OTHER_OUTLET, CENTRE, FAR_OUTLET = "460100-01", "460100-02", "460100-CC", "460200-01"
MORE_PLACES = (
    (OTHER_OUTLET, "秀英网点", "outlet", CITY),
    (FAR_OUTLET, "三亚网点", "outlet", OTHER_CITY),
)
LAYOUT = "ab" * 32


@pytest.fixture
def places(installer, tree):
    """The tree, a second outlet of Haikou and one of Sanya."""
    return tree | {
        code: add_organisation(
            installer,
            code=code,
            name=name,
            name_en=code,
            kind=kind,
            region=parent,
            parent=parent,
            valid_from=date(2026, 1, 1),
        )
        for code, name, kind, parent in MORE_PLACES
    }


ROLES = {
    "planner": (CITY, "card_planner"),
    "producer": (CITY, "card_producer"),
    "clerk": (OUTLET, "clerk"),
    "other_clerk": (OTHER_OUTLET, "clerk"),
    "far_clerk": (FAR_OUTLET, "clerk"),
    "data_clerk": (CITY, "data_clerk"),
    "supervisor": (CITY, "card_supervisor"),
    "keeper": (CENTRE, "old_card_keeper"),
    "witness": (CENTRE, "destruction_witness"),
    "witness_2": (CENTRE, "destruction_witness"),
}


class Staff(dict):
    """The people of the card counter, appointed when they are first asked for."""

    def __init__(self, appoint):
        super().__init__()
        self._appoint = appoint

    def __missing__(self, name):
        place, role = ROLES[name]
        self[name] = self._appoint(name, place, role)
        return self[name]


@pytest.fixture
def staff(appoint, places, settings):
    """One person for every role of the card counter, and the process of the city."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in here
    people = Staff(appoint)
    people["process"] = Actor.process("test", CITY)
    return people


@pytest.fixture(scope="module")
def machine():
    """Haikou's encryption machine, a process of its own at the address that the node's settings name."""
    node = settings.NODE
    name = node.machine(CITY).name
    folder = Path(tempfile.mkdtemp(prefix="sheka-cards-"))
    make_socket_folder(node.sockets)
    handle = start_machine(folder, callers=node.machine_callers(name), address=node.machine_address(name))
    close_machines()
    with handle.client("systems") as client:  # outside of any test there is no database to ask whether it may work
        yield client
    close_machines()
    handle.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def machine_keys(machine):
    """Every card key of the city in the machine, made as a level above would have derived it."""
    return {
        algorithm: {
            entry.name: machine.generate(
                f"{entry.name}-{algorithm.name}",
                algorithm,
                usage_at("city", entry.name),
                owner=CITY,
                diversified=True,
            )
            for entry in entries()
        }
        for algorithm in Algorithm
    }


@pytest.fixture
def keys(places, machine_keys):
    """The city's register of its keys."""
    return Key.objects.bulk_create(
        Key(
            organisation_id=CITY,
            name=name,
            algorithm=algorithm,
            version=1,
            usage=info.usage,
            owner_level="city",
            reference=info.ref,
            check_value=info.check_value,
            origin="imported",
            state="active",
            since=timezone.now(),
        )
        for algorithm, found in machine_keys.items()
        for name, info in found.items()
    )


@pytest.fixture
def right(places):
    """A right to issue 100 cards in one layout."""
    return take_issuing_right(
        Actor.process("issuance", CITY),
        number="9156000002460100",
        quantity=100,
        layout_digest=LAYOUT,
        valid_from=date(2026, 1, 1),
        valid_to=date(2031, 1, 1),
    )


@pytest.fixture
def people(places):
    """Twelve invented people of Haikou."""
    return Person.objects.bulk_create(
        Person(
            organisation=places[OUTLET].parent,
            social_security_number=one.social_security_number,
            name=one.name,
            sex=int(one.sex),
            birth=one.birth,
            ethnic_group=one.ethnic_group,
            birthplace=one.social_security_number[:6],
            phone=one.phone,
            address=one.address,
            registered_at=timezone.now(),
        )
        for one in synthetic_people(12, CITY, "cards")
    )


class Maker:
    """Brings cards to a state by the real actions; only the chip is left out where a test is not about chips."""

    def __init__(self, staff, people):
        self.staff, self.people, self._next = staff, iter(people), 1

    def ordered(self, outlet=OUTLET, person=None, **kind):
        kind = {"specification": "3.00", "algorithm": Algorithm.SM4, **kind}
        batch = order_cards(
            self.staff["planner"], people=[person or next(self.people)], outlet=outlet, layout_digest=LAYOUT, **kind
        )
        return batch.cards.get()

    def numbered(self, **kind):
        return number_cards(self.staff["producer"], cards=[self.ordered(**kind)])[0]

    def personalised(self, card=None, **kind):
        card = card or self.numbered(**kind)
        card.chip_serial = f"{self._next:016X}"
        self._next += 1
        move(self.staff["process"], card, "personalise", "personalised", "chip_serial", chip="test", reader="none")
        return card

    def in_stock(self, card=None, **kind):
        clerk = self.staff["other_clerk"] if kind.get("outlet") == OTHER_OUTLET else self.staff["clerk"]
        return receive_stock(clerk, cards=[self.personalised(card, **kind)])[0]

    def handed_out(self, **kind):
        card = self.in_stock(**kind)
        clerk = self.staff["other_clerk"] if kind.get("outlet") == OTHER_OUTLET else self.staff["clerk"]
        return hand_out_card(clerk, card=card, identity=self.identity(card))

    def active(self, **kind):
        card = self.handed_out(**kind)
        card.activated_at = timezone.now()
        return move(self.staff["process"], card, "activate", "activated", "activated_at", reader="none")

    def in_state(self, state):
        """A card in this state, with everything that such a card has."""
        made = {"ordered": self.ordered, "numbered": self.numbered, "personalised": self.personalised}
        made |= {"in_stock": self.in_stock, "handed_out": self.handed_out}
        card = made[state]() if state in made else self.active()
        if card.state != state:
            Card.objects.filter(pk=card.pk).update(state=state)
            card.refresh_from_db()
        return card

    @staticmethod
    def identity(card):
        return Identity(card.person.name, card.person.social_security_number)


@pytest.fixture
def make(staff, people, right, keys):
    """make.active() and so on → a card of a new person in that state."""
    return Maker(staff, people)


@pytest.fixture
def papers():
    """papers(*kinds) → those documents, originals seen and copies kept."""
    return lambda *kinds: [Document(DocumentKind(kind), original=True, copy=True) for kind in kinds]


@pytest.fixture
def proxy(people):
    """Somebody else with an identity card."""
    return Proxy(people[-1].name, people[-1].social_security_number, "配偶")


@pytest.fixture
def on_day(monkeypatch):
    """on_day(date) → a context in which Django's clock stands at noon of that day in China."""

    @contextmanager
    def at(day):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zones(timedelta(hours=8)))
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: noon)
            yield

    return at


@pytest.fixture
def refused():
    """refused(code, verb) → the refusal: the verb is refused with this number, and its sentences read well."""

    def check(code, verb):
        with pytest.raises(Refused) as caught:
            verb()
        assert caught.value.code is code, str(caught.value)
        for language in ("zh", "en"):
            assert "?" not in caught.value.text(language) + caught.value.todo(language)
        return caught.value

    return check


@pytest.fixture(scope="session")
def maker_folder(tmp_path_factory):
    """The office of the chip maker of this test run, with its keys."""
    folder = tmp_path_factory.mktemp("chips") / "maker"
    for algorithm in Algorithm:
        ChipMaker(folder).check_value(algorithm)
    return folder


@pytest.fixture(scope="module")
def transport_keys(machine, maker_folder):
    """The maker's master transport keys, brought to the machine in envelopes."""
    maker = ChipMaker(maker_folder)
    machine.register_peer(maker.name, maker.public_key, maker.name)
    return {
        algorithm: machine.import_envelope(
            maker.envelope(algorithm, machine.public_key()), maker.public_key, owner=maker.name
        )
        for algorithm in Algorithm
    }


@pytest.fixture
def drawer(tmp_path, maker_folder):
    """A drawer with four blank chips of each algorithm."""
    shutil.copytree(maker_folder, tmp_path / "drawer" / "maker")
    found = ChipDrawer(tmp_path / "drawer", sync=False)
    for algorithm in Algorithm:
        found.manufacture(4, algorithm)
    return found


@pytest.fixture
def chips(keys, transport_keys, drawer):
    """The drawer, and the transport keys in the city's register."""
    Key.objects.bulk_create(
        Key(
            organisation_id=CITY,
            name=f"KT:{drawer.maker.name}",
            algorithm=algorithm,
            version=1,
            usage=info.usage,
            owner_level="maker",
            reference=info.ref,
            check_value=info.check_value,
            origin="imported",
            state="active",
            since=timezone.now(),
        )
        for algorithm, info in transport_keys.items()
    )
    return drawer
