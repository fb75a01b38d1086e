"""What the database itself holds, whoever gets past the engine: rows stay, authors do not decide, nobody twice."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from tests.support.approvals import decided

from sheka.office.approvals.models import Decision, Proposal, Version
from sheka.office.approvals.seats import pseudonym
from sheka.office.scope import acting_in
from sheka.office.staff.models import StaffMember

STAYS = ((Decision, {"verdict": "reject"}), (Version, {"payload": {}}))


def insert(made, person, *, lender="", version=1, step=0, digest=None):
    with transaction.atomic():
        Decision.objects.create(
            proposal=made, version=version, step=step, place="460100", name="x", person=person, lender_person=lender,
            digest=digest or made.digest, verdict="approve", reason="", decided_at=timezone.now(),
        )  # fmt: skip


@pytest.mark.parametrize(("model", "change"), STAYS)
def test_what_was_frozen_or_decided_is_never_changed(ask, people, model, change):
    made = ask("test.two")
    decided(people["one"], made)
    for verb in (lambda rows: rows.update(**change), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            verb(model.objects.all())


def test_an_author_and_one_person_twice_are_kept_out_in_the_own_name_and_in_a_lent_right(ask, people):
    made = ask("test.two")
    author = pseudonym(made.number, people["author"].staff_id)
    one, two = (pseudonym(made.number, people[name].staff_id) for name in ("one", "two"))
    for row in ({"person": author}, {"person": one, "lender": author}):
        with pytest.raises(IntegrityError, match="does not decide"):
            insert(made, **row)
    insert(made, one)
    for row in ({"person": one}, {"person": two, "lender": one}, {"person": one, "step": 1}):
        with pytest.raises(IntegrityError, match="one decision"):
            insert(made, **row)
    with pytest.raises(IntegrityError, match="digest of its version"):
        insert(made, two, digest="0" * 64)


def test_a_pseudonym_tells_nothing_from_one_request_to_another(ask, people, appoint):
    staff = people["one"].staff_id
    first, second = ask(), ask()
    assert pseudonym(first.number, staff) != pseudonym(second.number, staff)
    again = appoint("one-2", "460100", person="one").staff_id
    assert pseudonym(first.number, staff) == pseudonym(first.number, again)
    assert StaffMember.objects.get(pk=staff).person_id not in pseudonym(first.number, staff)


def test_another_citys_requests_decisions_and_versions_are_not_there(ask, people):
    decided(people["one"], ask("test.two"))
    for path, found in (("o000000.o460000.o460200", 0), ("o000000.o460000.o460100", 1), ("", 0)):
        with acting_in(path):
            assert {model.objects.count() for model in (Proposal, Decision, Version)} == {found}
