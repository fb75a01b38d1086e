"""A node of its own with an empty store, people with rights to documents, and things that documents are about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.documents import subjects
from sheka.office.staff.permissions import Permission


@pytest.fixture(autouse=True)
def node(settings, tmp_path):
    """Where the documents of this test lie."""
    settings.NODE = NodeConfig.create_demo(tmp_path / "node", document_keys="file")
    return settings.NODE


@pytest.fixture(autouse=True)
def things(monkeypatch):
    """Subjects that are there: every card, exchange, destruction and proposal but those named "hidden"."""

    def find(_actor, name):
        if name == "hidden":
            raise Refused(Code.EXCHANGE_UNKNOWN, exchange=name)

    known = {
        word: subjects.SubjectKind(word, Term("事项", word), find, None)
        for word in ("card", "exchange", "destruction", "proposal", "staff")
    }
    known["card"] = replace(known["card"], rights=(Permission.CARD_VIEW,))
    monkeypatch.setattr(subjects, "_known", known)
    return known


@pytest.fixture
def clerk(appoint):
    """A clerk of an outlet of Haikou: keeps and views."""
    return appoint("clerk", "460100-01", "clerk")


@pytest.fixture
def supervisor(appoint):
    """Of the city: views, voids, disposes."""
    return appoint("supervisor", "460100", "card_supervisor")


@pytest.fixture
def stranger(appoint):
    """A supervisor of Sanya."""
    return appoint("stranger", "460200", "card_supervisor")


@pytest.fixture
def refused():
    """refused(Code.X, call, …) → the refusal."""

    def check(code, call, *args, **kwargs):
        with pytest.raises(Refused) as caught:
            call(*args, **kwargs)
        assert caught.value.code is code, caught.value
        assert "?" not in caught.value.text("zh") + caught.value.text("en")
        return caught.value

    return check
