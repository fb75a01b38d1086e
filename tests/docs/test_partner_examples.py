"""docs/examples: what partners copy works against the switch and the API as they are (S4)."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from tests.support.api import partner_of
from tests.support.organisations import appoint, installer, tree  # noqa: F401 - fixtures
from tests.support.payments import CITY, HOSPITAL, bank, haikou_machine, switch  # noqa: F401 - fixtures

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.systems.transactions import partner_line
from sheka.systems.transactions.actions.register_institution import register_terminals
from sheka.systems.transactions.models import Terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
REST = "460100000077"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nothing."""


def test_the_iso_8583_example_pays_and_takes_back(bank, switch):  # noqa: F811
    partner = example("partner_iso8583")
    key = bytes(range(16))
    assert partner.sm4_mac(key)(b"message") == command_mac(Algorithm.SM4, key, b"message")
    line = partner.Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac)
    assert line.sign_on()[39] == "00"
    asked, answer = line.purchase(bank.cards[0].number, 1234)
    assert (answer[39], int(answer[54][8:20])) == ("00", 100_000 - 1234)
    assert line.reverse(asked)[39] == "00"
    _, refused = line.purchase(bank.cards[0].number, 99_999_999)
    assert (refused[39], refused[63]) == ("51", "4421")
    line.close()
    bank.assert_ledger_holds()


def test_the_rest_example_pays_once_and_takes_back(bank, switch, tree, installer, monkeypatch):  # noqa: F811
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    add_organisation(
        installer,
        code=HOSPITAL,
        name="医院",
        name_en="Hospital",
        kind="hospital",
        region="460106",
        parent=CITY,
        valid_from=tree[CITY].valid_from,
    )
    register_terminals(bank.actor, institution_code=HOSPITAL, numbers=[REST], channel="rest")
    Terminal.objects.filter(number=REST).update(state="active")
    client = partner_of(installer, HOSPITAL)
    monkeypatch.setattr(partner_line, "address", lambda: (switch.host, switch.port))
    application = get_wsgi_application()

    def closing(environ, start):
        try:
            yield from application(environ, start)
        finally:
            connections.close_all()

    with make_server("127.0.0.1", 0, closing, Server, Quiet) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        api = example("partner_rest").PartnerApi(
            f"http://127.0.0.1:{web.server_port}/api/v1", client.code, client.secret
        )
        key = str(uuid4())
        first = api.pay(key, REST, bank.cards[0].number, 1234)
        assert (first["state"], first["balance_fen"]) == ("approved", 100_000 - 1234), first
        assert api.pay(key, REST, bank.cards[0].number, 1234) == first
        assert api.status(key) == first
        assert api.pay(str(uuid4()), REST, bank.cards[0].number, 99_999_999)["code"] == 4421
        assert api.take_back(str(uuid4()), key)["state"] == "approved"
        kinds = [f"{name}{unit}" for name in ("credits", "credits_reversed") for unit in ("", "_fen")]
        totals = {**dict.fromkeys(kinds, 0), "debits": 1, "debits_fen": 1234, "debits_reversed": 1}
        for taken_back, state in ((1234, "in_balance"), (1, "out_of_balance")):
            asked = {**totals, "debits_reversed_fen": taken_back}
            assert api.settle(str(uuid4()), REST, first["settlement_day"], asked) == state
        web.shutdown()
    assert bank.balance() == 100_000
    bank.assert_ledger_holds()
