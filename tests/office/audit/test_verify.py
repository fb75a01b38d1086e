"""Whoever edits the audit as a superuser is found out: each drill with the trigger off, on the committed database."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.heads import export_head, folder_of_heads, last_head, read_heads
from sheka.office.audit.trail import COLUMNS, body_of, record
from sheka.office.audit.verify import verify

pytestmark = [pytest.mark.django_db(transaction=True)]
DRILLS = {
    "an edited fact": (["UPDATE audit_event SET facts = '{{}}' WHERE sequence = {at}"], {"edited"}),
    "another name": (["UPDATE audit_event SET actor = 'somebody else' WHERE sequence = {at}"], {"edited"}),
    "another organisation": (["UPDATE audit_event SET organisation_id = '460200' WHERE sequence = {at}"], {"edited"}),
    "a back-dated row": (
        ["UPDATE audit_event SET at = at - interval '1 day' WHERE sequence = {at}"],
        {"edited", "backdated"},
    ),
    "a removed row": (["DELETE FROM audit_event WHERE sequence = {at}"], {"missing"}),
    "two rows removed": (["DELETE FROM audit_event WHERE sequence IN ({at}, {at} - 1)"], {"missing"}),
    "the first row removed": (["DELETE FROM audit_event WHERE sequence = 1"], {"missing"}),
    "two rows that changed places": (
        [
            "UPDATE audit_event SET sequence = -1 WHERE sequence = {at}",
            "UPDATE audit_event SET sequence = {at} WHERE sequence = {at} - 1",
            "UPDATE audit_event SET sequence = {at} - 1 WHERE sequence = -1",
        ],
        {"moved", "unlinked"},
    ),
    "an edited hash": ([r"UPDATE audit_event SET hash = sha256('x') WHERE sequence = {at}"], {"edited", "unlinked"}),
    "a cut tail": (["DELETE FROM audit_event WHERE sequence >= {at}"], {"tail_cut"}),
    "an empty table": (["DELETE FROM audit_event"], {"tail_cut"}),
}


@pytest.fixture
def exported(trail, machine):
    """The chain, with a head exported in the middle and one at its end."""
    return export_head()


@pytest.fixture
def tamper(superuser):
    """tamper(statements, at): as superuser, with triggers off."""

    def run(statements, at):
        with superuser() as outside:
            outside.execute("SET session_replication_role = replica")
            for statement in statements:
                outside.execute(statement.format(at=at))

    return run


def faults(machine):
    return {finding.fault for finding in verify(read_heads(folder_of_heads()), frozenset({machine.public})).findings}


@pytest.mark.parametrize("drill", DRILLS)
def test_tampering_with_the_trigger_off_is_found(exported, machine, tamper, drill):
    statements, expected = DRILLS[drill]
    assert faults(machine) == set()
    tamper(statements, exported.sequence - 2)
    assert faults(machine) == expected


def test_a_chain_that_was_computed_anew_agrees_with_itself_but_not_with_the_head(exported, machine, superuser):
    """Back-dated, renamed, and every hash after it put right: only the head outside the database tells."""
    with superuser() as outside:
        outside.execute("SET session_replication_role = replica")
        rows = outside.execute(f"SELECT {COLUMNS} FROM audit_event ORDER BY sequence").fetchall()
        previous = bytes(32)
        for row in rows:
            changed = list(row)
            if row[0] == exported.sequence - 2:
                changed[3] = "somebody else"
            made = sm3(previous + body_of(tuple(changed)))
            outside.execute(
                "UPDATE audit_event SET actor = %s, previous = %s, hash = %s WHERE sequence = %s",
                [changed[3], previous, made, row[0]],
            )
            previous = made
    assert verify().holds
    assert faults(machine) == {"head_wrong"}


def test_a_row_dated_before_its_predecessor_is_found_though_its_hash_is_right(trail, installer, monkeypatch):
    from sheka.office.audit import trail as module

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr(module, "datetime", Earlier)
    record(installer, "test.event", "thing:9")
    assert [finding.fault for finding in verify().findings] == ["backdated"]


def test_a_moved_row_tells_where_it_was(exported, machine, tamper):
    at = exported.sequence - 2
    tamper(DRILLS["two rows that changed places"][0], at)
    moved = {finding.sequence: finding.detail for finding in verify().findings if finding.fault == "moved"}
    assert moved == {at: str(at - 1), at - 1: str(at)}


def test_a_head_that_another_key_signed_is_foreign(exported, machine):
    stranger = type(machine)()
    found = verify(read_heads(folder_of_heads()), frozenset({stranger.public}))
    assert {finding.fault for finding in found.findings} == {"head_foreign"}
    assert found.anchored == 0


@pytest.mark.parametrize(
    ("field", "value"), [("sequence", 1), ("hash", "00" * 32), ("at", "2020-01-01T00:00:00+00:00")]
)
def test_an_edited_head_does_not_carry_its_signature(exported, machine, field, value):
    path = next(folder_of_heads().glob("heads-*"))
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}) + "\n")
    assert faults(machine) == {"head_foreign"}


def test_a_head_taken_out_of_the_file_is_missed(exported, machine, installer):
    for number in range(2):
        record(installer, "test.event", f"thing:{number}")
        export_head()
    path = next(folder_of_heads().glob("heads-*"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert faults(machine) == {"head_order"}


def test_heads_link_to_each_other_and_the_last_one_anchors_the_chain(exported, machine, installer):
    assert export_head() is None, "nothing new, nothing exported"
    record(installer, "test.event", "thing:8")
    second = export_head()
    assert second.previous == sm3(exported.line.encode()).hex()
    assert last_head(folder_of_heads()) == second.__class__.parse(second.line, last_head(folder_of_heads()).place)
    verdict = verify(read_heads(folder_of_heads()), frozenset({machine.public}))
    assert (verdict.holds, verdict.heads, verdict.anchored) == (True, 2, second.sequence)


def test_no_head_is_signed_over_a_chain_that_lost_the_last_one(exported, machine, tamper):
    tamper(DRILLS["a cut tail"][0], exported.sequence)
    with pytest.raises(Refused) as refused:
        export_head()
    assert refused.value.code is Code.AUDIT_HEAD_LOST


@pytest.mark.parametrize("text", ["not json\n", "{}\n", '{"node": "x", "sequence": "y"}\n', "[]\n"])
def test_a_file_that_is_no_head_is_refused(trail, machine, tmp_path, text):
    path = tmp_path / "heads-2026-11-22.jsonl"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        list(read_heads(path))
    assert refused.value.code is Code.AUDIT_HEAD_FILE


def test_the_findings_are_bounded_however_much_was_changed(trail, superuser):
    with superuser() as outside:
        outside.execute("SET session_replication_role = replica")
        outside.execute(
            f"INSERT INTO audit_event ({COLUMNS}) SELECT n, now(), NULL, 'x', '460100', 'test.event', 'thing', '{{}}',"
            " sha256('a'), sha256('b') FROM generate_series(1000, 1700) n"
        )
    verdict = verify()
    assert (len(verdict.findings), verdict.more) == (1000, True)
