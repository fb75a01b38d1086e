"""docs/systems/client.md: an engineer of another house connects a till with the page and pyiso8583 alone (S4).

What is lost if this fails: an institution that is told to connect cannot, because a key never reaches it or the page is
wrong.
"""

from __future__ import annotations

import doctest
import re
import socket
from pathlib import Path

import pytest
from tests.docs.test_partner_examples import example
from tests.support.acquiring import SHOP, TEST_NUMBER, test_card, until
from tests.support.lines import line_policy  # noqa: F401 - a fixture
from tests.support.organisations import appoint, installer, tree  # noqa: F401 - fixtures
from tests.support.payments import SwitchProcess, bank, haikou_machine  # noqa: F401 - fixtures
from typer.testing import CliRunner

from sheka.faces.cli.main import application
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.pin_block import account_digits, open_pin_block
from sheka.foundation.iso8583.dictionary import fields as dictionary
from sheka.foundation.refusals import Code, Refused
from sheka.office.scope import acting_in
from sheka.systems.transactions.actions.keep_line import set_profile
from sheka.systems.transactions.actions.onboard_institution import accept_testing, begin_testing
from sheka.systems.transactions.actions.register_institution import (
    change_institution,
    change_terminals,
    register_institution,
    register_terminals,
)
from sheka.systems.transactions.onboarding import progress

PAGE = Path(__file__).resolve().parents[2] / "docs" / "systems" / "client.md"
TILL = "460100000021"
COMPONENT = re.compile(r"\b(?:[0-9A-F]{4}\s+){7}[0-9A-F]{4}\b")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]


def sheka(*words: str) -> str:
    with acting_in():  # as in a shell: nobody has set a scope
        done = CliRunner().invoke(application(), ["line", *words])
    if isinstance(done.exception, Refused):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def transport_key(code: str, monkeypatch) -> tuple[bytes, str]:
    """The machine makes two components, each is read and typed from the paper; what the institution joins."""
    shown: list[str] = []
    typed: list[str] = []

    def read(text: str, *given: object, hide_input: bool = False, **named: object) -> str:
        papers = COMPONENT.findall("\n".join(shown))
        if not hide_input:
            return ""
        typed.append(papers[-1] if "paper" in text else papers[int(text[-1]) - 1])
        return typed[-1].lower()

    with monkeypatch.context() as patched:
        patched.setattr("typer.echo", lambda text: shown.append(str(text)))
        patched.setattr("typer.prompt", read)
        sheka("transport-key", code, "--make")
    parts = [int("".join(one.split()), 16) for one in COMPONENT.findall("\n".join(shown))]
    assert len(typed) == 4, "each component is typed back by its holder, then entered"
    return (parts[0] ^ parts[1]).to_bytes(16), shown[-1].split()[-1]


@pytest.mark.parametrize("profile", ["sm4", "3des"])
def test_an_institution_gets_its_keys_passes_its_tests_and_works(bank, tree, monkeypatch, tmp_path, profile):  # noqa: F811
    actor, other = bank.actor, bank.actor
    register_institution(actor, code=SHOP, name="海口椰风药房", contract="协议2026-9")
    register_terminals(actor, institution_code=SHOP, numbers=[TILL])
    set_profile(actor, code=SHOP, profile=profile)
    with pytest.raises(Refused) as none:
        sheka("starting-key", SHOP)
    assert none.value.code is Code.TRANSPORT_KEY_MISSING
    key, told = transport_key(SHOP, monkeypatch)
    house = example("partner_pyiso8583")
    keys = house.Keys(profile, key)
    assert keys.check_value(key) == told, "both sides hold the same key"
    tests = begin_testing(actor, code=SHOP, protocol="1.1", software="1", terminals=[TEST_NUMBER])
    card = test_card(bank, tree[bank.actor.organisation]).number
    switch = SwitchProcess()

    def connect() -> socket.socket:
        return socket.create_connection((switch.host, switch.port), timeout=10)

    try:
        keys.take_mac(sheka("starting-key", SHOP + "T").split()[0])
        till = house.Till(connect, TEST_NUMBER, SHOP + "T", keys, tmp_path / "test.json")
        until(lambda: known(till))
        till.change_keys()
        rehearse(till, card, house.Till(connect, TEST_NUMBER, SHOP + "T", Wrong(), tmp_path / "wrong.json"))
        till.hang_up()
        until(lambda: all(tick.done for tick in progress(tests)))
        accept_testing(actor, code=SHOP)
        change_institution(other, code=SHOP, verb="activate")
        change_terminals(other, numbers=[TILL], verb="activate")
        keys = house.Keys(profile, key)
        keys.take_mac(sheka("starting-key", SHOP).split()[0])
        till = house.Till(connect, TILL, SHOP, keys, tmp_path / "till.json")
        until(lambda: known(till))
        till.change_keys()
        assert pin_is_right(keys, profile)
        live(till, bank, switch)
        with pytest.raises(Refused) as all_of_them:
            sheka("starting-key", SHOP)
        assert all_of_them.value.code is Code.STARTING_KEY_FOR_ONE
        keys = house.Keys(profile, key)
        keys.take_mac(sheka("starting-key", SHOP, "--terminal", TILL).split()[0])
        again = house.Till(connect, TILL, SHOP, keys, tmp_path / "till.json")
        until(lambda: known(again))
        assert again.balance(bank.cards[0].number) == 100_000, "a till that lost its keys goes on"
        again.hang_up()
    finally:
        print(switch.stop())
    bank.assert_ledger_holds()


def test_a_certificate_needs_an_institution_and_an_authority(bank, tmp_path, monkeypatch):  # noqa: F811
    register_institution(bank.actor, code=SHOP, name="海口椰风药房")
    place = tmp_path / "certificates"
    for code, refusal in (("NOSUCH", Code.INSTITUTION_UNKNOWN), (SHOP, Code.LINE_AUTHORITY_MISSING)):
        with pytest.raises(Refused) as refused:
            sheka("certificate", code, "--into", str(place))
        assert refused.value.code is refusal
    assert not place.exists(), "a certificate of nobody was written"


def test_every_value_of_the_page_is_what_the_client_makes(monkeypatch):
    house, page = example("partner_pyiso8583"), PAGE.read_text("utf-8")
    assert doctest.testmod(house).failed == 0
    monkeypatch.setattr(house.secrets, "token_bytes", bytes)
    key, columns = bytes(range(16)), []
    for profile in ("sm4", "3des"):
        keys = house.Keys(profile, bytes(range(16, 32)))
        keys._mac = keys._pin = key
        given = keys._under(keys._transport, key).hex().upper() + keys.check_value(key)
        keys.take_mac(given)
        block = keys.pin_block("123456", "D2143569X")[1]
        columns.append(
            [keys.check_value(key), keys.check_value(keys._transport), given, keys.mac(b"0800").hex(), block]
        )
    for sm4, tdes in zip(*columns, strict=True):
        assert f"| `{sm4.upper()}` | `{tdes.upper()}` |" in page
    signed_on = bytes.fromhex(re.search(r"^[0-9A-F]{100,}$", page, re.MULTILINE)[0])
    keys = house.Keys("sm4", key)
    keys._mac = key
    assert int.from_bytes(signed_on[:2]) == len(signed_on) - 2
    assert keys.mac(signed_on[2:-8]) + bytes(4) == signed_on[-8:]
    read, _ = house.iso8583.decode(signed_on[2:], house.SPEC)
    assert {"t": "0800", "42": "P46010000001T  ", "70": "001", "11": "000001"}.items() <= read.items()
    rows = re.findall(r"^\| `([0-9A-F ]+)` \|", page.split("| bytes | what |")[1].split("## Keys")[0], re.MULTILINE)
    assert bytes.fromhex("".join(rows)) == signed_on, "the table takes the message apart whole"


def test_the_table_of_fields_and_the_client_agree_with_the_dictionary():
    house = example("partner_pyiso8583")
    for number, field in dictionary().items():
        spec = house.SPEC[str(number)]
        assert (spec["len_type"], spec["max_len"]) == (field.prefix, field.length), number
        assert (spec["data_enc"] == "b") == (field.format == "b"), number


class Wrong:
    """A till with another key."""

    def mac(self, message: bytes) -> bytes:
        return bytes(4)


def known(till) -> bool:
    """A key that was given out a moment ago is known to every switch within a second."""
    try:
        return till.sign_on()["39"] == "00"
    except ValueError:
        return False


def rehearse(till, card: str, spoiled) -> None:
    """The script of policy/onboarding.toml."""
    assert till.ask("0800", {**till._head("7", "11"), "70": "301"})["39"] == "00"
    assert till.balance(card) == 10_000
    bought, answer = till.pay(card, 100)
    assert till.ask("0201", bought) == answer
    assert till.pay(card, 99_999_999)[1]["39"] == "51"
    foreign = {**till._money("000000", card, 100), "49": "840"}
    assert till.ask("0200", foreign)["39"] == "93"
    first = till.reverse(bought)
    assert {**till.reverse(bought, repeat=True), "t": ""} == {**first, "t": ""}
    early = {"t": "0200", **till._money("000000", card, 100)}
    assert till.reverse(early)["39"] == "25"
    assert till.ask("0200", early)["39"] == "22"
    day = answer["15"]
    totals = [0, 0, 1, 1, 0, 0, 100, 100]
    differs = till.settle(day, [*totals[:6], 101, 100])
    assert (differs["39"], differs["66"], differs["63"]) == ("95", "2", "4485")
    assert till.upload(day, bought, 100)["39"] == till.upload(day, bought, 100, reversal=True)["39"] == "00"
    assert till.settle(day, totals, after_upload=True)["66"] == "1"
    assert till.settle(day, totals)["39"] == "00"
    with pytest.raises(ValueError, match="39=A0"):
        spoiled.ask("0200", till._money("000000", card, 100))


def live(till, bank, switch) -> None:  # noqa: F811
    """Every verb, a lost answer, a till that died, the batch of the day."""
    card = bank.cards[0].number
    bought, answer = till.pay(card, 5_000)
    assert (answer["39"], till.balance(card)) == ("00", 95_000)
    assert till.void(bought)[1]["39"] == "00"
    bought, _ = till.pay(card, 4_000)
    returned, answer = till.refund(bought, 1_500)
    assert answer["39"] == "00" and till.balance(card) == 97_500
    held, answer = till.hold(card, 10_000)
    assert answer["39"] == "00" and till.balance(card) == 87_500
    done, answer = till.complete(held, 6_000)
    assert answer["39"] == "00" and till.balance(card) == 91_500
    read, till._read = till._read, lost
    assert till.pay(card, 2_000)[1] is None, "no answer came: it is not known"
    till._read = read
    assert till.forward() == 0 and till.balance(card) == 91_500, "what was not known is taken back"
    day = answer["15"]
    settled = till.settle(day, [1, 0, 4, 2, 1_500, 0, 5_000 + 4_000 + 6_000 + 2_000, 5_000 + 2_000])
    assert (settled["39"], settled["66"]) == ("00", "1"), "a void and a reversal take debits back"
    for back in (done, returned):
        till.reverse(back)
    till.reverse(held)
    till.reverse(bought)
    assert till.balance(card) == 100_000
    till.hang_up()


def test_a_recorded_approval_under_the_same_trace_number_is_no_answer(tmp_path):
    """What is lost: goods for a purchase that the switch never saw, when somebody in the line plays an answer back."""
    house, key = example("partner_pyiso8583"), bytes(range(16))
    ours, switch = socket.socketpair()
    keys = house.Keys("sm4", key)
    keys._mac = key
    till = house.Till(lambda: ours, TILL, SHOP, keys, tmp_path / "till.json")

    def said(fields: dict[str, str], amount: int) -> bytes:
        told = {**fields, "t": "0210", "4": f"{amount:012d}", "39": "00", "64": "00" * 8}
        told = {name: value for name, value in told.items() if name in {"t", "3", "4", "7", "11", "39", "41", "64"}}
        signed = bytes(house.iso8583.encode(told, house.SPEC)[0][:-8])
        return len(signed + bytes(8)).to_bytes(2, "big") + signed + keys.mac(signed) + bytes(4)

    asked = {"t": "0200", **till._money("000000", "D2143569X", 1_250)}
    switch.sendall(said({**asked, "7": "1101000000"}, 1_250) + said(asked, 9) + said(asked, 1_250))
    assert till.ask("0200", asked)["7"] == asked["7"]
    till.hang_up()
    switch.close()


def lost(size: int) -> bytes:
    raise ConnectionError("the line was cut")


def pin_is_right(keys, profile: str) -> bool:
    field, block = keys.pin_block("123456", "D2143569X")
    algorithm = Algorithm.SM4 if profile == "sm4" else Algorithm.TDES
    assert field == ("59" if profile == "sm4" else "52")
    return open_pin_block(algorithm, keys._pin, bytes.fromhex(block), account_digits("D2143569X")) == b"123456"
