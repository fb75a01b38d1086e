"""Anchors: every seal of the switch under a Merkle root in the audit chain, each transaction provable by it (S4)."""

from __future__ import annotations

import dataclasses
import json

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from sheka.office.audit.models import Event
from sheka.office.audit.verify import verify
from sheka.systems.transactions import jobs
from sheka.systems.transactions.anchors import new_seals, proof_for, verify_anchors
from sheka.systems.transactions.models import Anchor, Transaction
from sheka.systems.transactions.proofs import seals
from sheka.systems.transactions.queries import verify_seals, verify_transactions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def booked(terminal, bank):
    for amount in (100, 200, 300):
        terminal.purchase(bank.cards[0].number, amount)
    return list(Transaction.objects.order_by("id"))


def as_administrator(statement):
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    with psycopg.connect(cluster.dsn(name, "postgres"), autocommit=True) as administrator:
        administrator.execute("SET session_replication_role = replica")
        administrator.execute(statement)


@pytest.mark.req("S4")
def test_a_turn_anchors_what_is_new_and_every_transaction_is_proved_by_it(booked, terminal, bank):
    assert proof_for(booked[0]) is None
    jobs.anchor()
    jobs.anchor()
    first = Anchor.objects.get()
    event = Event.objects.get(event="seals.anchored")
    assert (first.sequence, json.loads(event.facts)["root"]) == (event.sequence, bytes(first.root).hex())
    for one in booked:
        proof = proof_for(one)
        assert proof.holds
        assert not dataclasses.replace(proof, seal_root=bytes(32)).holds
    terminal.purchase(bank.cards[1].number, 500)
    jobs.anchor()
    assert Anchor.objects.count() == 2
    assert proof_for(Transaction.objects.order_by("-id").first()).sequence > first.sequence
    assert (new_seals(), verify_anchors(), verify().holds) == ([], [], True)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE transactions_seal SET root = sha256('x')", "a seal under an anchor was changed"),
        ("DELETE FROM transactions_seal", "a seal under an anchor was changed"),
        (
            "UPDATE audit_event SET facts = '{}' WHERE event = 'seals.anchored'",
            "the audit chain does not hold this anchor",
        ),
        ("UPDATE transactions_anchor SET root = sha256('x')", "a seal under an anchor was changed"),
    ],
)
def test_a_seal_or_an_anchor_that_was_changed_is_found(booked, statement, fault):
    jobs.anchor()
    as_administrator(statement)
    assert fault in {found.fault for found in verify_anchors()}


def test_the_proof_of_the_books_finds_the_end_of_a_stream_cut_off(booked, terminal, bank):
    """A declined request books nothing, so nothing but its seal would be missing; and no seal comes after the last."""
    assert not terminal.purchase(bank.cards[0].number, 10**9).approved
    jobs.anchor()
    assert list(seals()) == []
    last = Transaction.objects.order_by("-id").first()
    as_administrator(f"DELETE FROM transactions_transaction WHERE id = {last.id}")
    as_administrator(f"DELETE FROM transactions_seal WHERE id = {last.seal}")
    assert (verify_seals(), verify_transactions()) == ([], [])
    assert [fault.fault for fault in seals()] == ["a seal under an anchor was changed"]


def test_an_anchor_is_written_once(booked):
    jobs.anchor()
    for statement in ("UPDATE transactions_anchor SET seals = 0", "DELETE FROM transactions_anchoredstretch"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
