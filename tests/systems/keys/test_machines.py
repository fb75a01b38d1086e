"""The registry of machines: production work while the certificate is in force, warnings before it ends (K4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import timezone as zones

import pytest
from django.utils import timezone
from tests.support.approvals import decided

from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.node import NodeConfig
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import EVERYBODY, reading_as
from sheka.systems.keys.actions.propose_certificate import propose_certificate, propose_withdrawal
from sheka.systems.keys.actions.register_machine import register_machine
from sheka.systems.keys.health import certificates as health
from sheka.systems.keys.jobs import certificates as turn
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Machine

pytestmark = [pytest.mark.req("K4")]
CITY = "460100"
UNTIL = date(2027, 11, 22)
PLATE = {"model": "SJJ1012-A", "serial": "A20260001", "place": "机房二层", "supplier": "密码机厂商"}
FACTS = {**PLATE, "certificate": "GM001119920260001", "level": 3, "valid_from": date(2025, 11, 23)}


class People:
    """The two who register a machine."""

    def __init__(self, appoint):
        self.officer = appoint("officer", CITY, "key_officer")
        self.approver = appoint("approver", CITY, "approver")

    def certify(self, **changes):
        asked = propose_certificate(self.officer, **{**FACTS, "valid_until": UNTIL, **changes})
        decided(self.approver, asked)
        return Machine.objects.get(organisation_id=CITY)


@pytest.fixture
def wanted():
    return ("haikou",)


@pytest.fixture
def people(appoint, machines):
    return People(appoint)


@pytest.fixture
def production(settings, machines):
    """The same node, no demonstration."""
    node = settings.NODE
    settings.NODE = NodeConfig(node.path, node.file.model_copy(update={"demo": False}), node.secret)
    yield settings.NODE
    settings.NODE = node


@pytest.fixture
def on(monkeypatch):
    """on(day): the clock stands at noon of that day in China."""

    def at(day):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zones(timedelta(hours=8)))
        monkeypatch.setattr(timezone, "now", lambda: noon)

    return at


def work(name="test"):
    return machine_of(CITY).generate(name, Algorithm.SM4, Usage.MAC, owner=CITY)


def refusal(verb):
    with pytest.raises(Refused) as caught:
        verb()
    assert "?" not in str(caught.value)
    return caught.value.code


def test_without_a_certificate_a_machine_describes_itself_and_does_no_more(people, production):
    assert refusal(work) is Code.MACHINE_NOT_REGISTERED
    register_machine(people.officer)
    assert refusal(work) is Code.MACHINE_WITHOUT_CERTIFICATE
    assert machine_of(CITY).list_keys() == []


def test_two_people_register_a_certificate_and_the_machine_works(people, production):
    register_machine(people.officer)
    asked = propose_certificate(people.officer, **FACTS, valid_until=UNTIL)
    assert refusal(work) is Code.MACHINE_WITHOUT_CERTIFICATE
    assert refusal(lambda: decided(people.officer, asked)) is Code.APPROVAL_OWN
    decided(people.approver, asked)
    row = Machine.objects.get(organisation_id=CITY)
    assert (row.state, row.serial, row.level, row.production_until) == ("certified", "A20260001", 3, UNTIL)
    assert work().name == "test"


def test_a_certificate_that_ends_while_the_machine_runs_stops_the_next_call(people, production, on):
    on(UNTIL - timedelta(days=1))
    register_machine(people.officer)
    people.certify()
    line = machine_of(CITY)
    made = line.generate("kept", Algorithm.SM4, Usage.MAC, owner=CITY)
    on(UNTIL)
    assert line.macs(made.ref, None, [b"last day"])
    on(UNTIL + timedelta(days=1))
    assert refusal(lambda: line.macs(made.ref, None, [b"too late"])) is Code.MACHINE_CERTIFICATE_EXPIRED
    assert line.describe().product
    people.certify(valid_until=UNTIL + timedelta(days=365), certificate="GM001119920270002")
    assert line.macs(made.ref, None, [b"renewed"])


def test_it_warns_ninety_thirty_and_seven_days_before_and_when_it_is_over(people, on):
    on(UNTIL - timedelta(days=200))
    register_machine(people.officer)
    people.certify()
    told = []
    for left in (91, 90, 89, 31, 30, 8, 7, 1, 0, -1, -2):
        on(UNTIL - timedelta(days=left))
        turn()
        with reading_as(EVERYBODY):
            told.append((left, WorkNotice.objects.filter(kind="machine.certificate_ends").count()))
    assert told == [
        (91, 0), (90, 2), (89, 2), (31, 2), (30, 4), (8, 4), (7, 6), (1, 6), (0, 6), (-1, 8), (-2, 8),
    ]  # fmt: skip
    assert WorkItem.objects.filter(kind="machine.certificate").exclude(state="done").count() == 1
    people.certify(valid_until=UNTIL + timedelta(days=365))
    assert not WorkItem.objects.filter(kind="machine.certificate").exclude(state="done").exists()


def test_the_health_page_says_until_when(people, on, production):
    on(UNTIL - timedelta(days=200))
    assert {check.state for check in health()} == {"stop"}
    register_machine(people.officer)
    people.certify()

    def state():
        return next(check.state for check in health() if check.name == "certificate-haikou")

    seen = [state()]
    for left in (30, -1):
        on(UNTIL - timedelta(days=left))
        seen.append(state())
    assert seen == ["good", "wait", "stop"]


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": " "},
        {"level": 5},
        {"valid_until": date(2025, 1, 1)},
        {"valid_from": date(2027, 1, 1)},
        {"valid_from": date(2024, 1, 1), "valid_until": date(2026, 11, 21)},
    ],
)
def test_a_certificate_that_cannot_be_right_is_not_put_forward(people, on, changes):
    on(date(2026, 11, 22))
    register_machine(people.officer)
    asked = {**FACTS, "valid_until": UNTIL, **changes}
    assert refusal(lambda: propose_certificate(people.officer, **asked)) is Code.MACHINE_CERTIFICATE_FACTS


def test_another_device_needs_a_certificate_of_its_own(people):
    row = register_machine(people.officer)
    people.certify()
    asked = propose_certificate(people.officer, **FACTS, valid_until=UNTIL)
    Machine.objects.filter(pk=row.pk).update(public_key="04" + "00" * 64)
    again = register_machine(people.officer)
    assert (again.state, again.certificate, again.production_until) == ("registered", "", None)
    Machine.objects.filter(pk=row.pk).update(fingerprint="ff" * 16)
    assert refusal(lambda: decided(people.approver, asked)) is Code.MACHINE_CERTIFICATE_FACTS


def test_a_retired_machine_works_nowhere_not_even_in_a_demonstration(people):
    register_machine(people.officer)
    people.certify()
    assert refusal(lambda: propose_withdrawal(people.officer, reason=" ")) is Code.KEY_REASON
    decided(people.approver, propose_withdrawal(people.officer, reason="到达使用年限"))
    assert refusal(work) is Code.MACHINE_RETIRED


def test_the_demonstration_works_without_a_certificate(people):
    register_machine(people.officer)
    assert work().name == "test"
