"""The copies of an incident tell each other nothing that is not theirs to say (K9, design §4)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from sheka.foundation.refusals import Code
from sheka.office.documents.subjects import must_reach
from sheka.office.incidents.actions.handle_incident import note_progress, take_incident
from sheka.office.incidents.actions.issue_report import issue_report, report_facts
from sheka.office.incidents.actions.record_drill import record_drill
from sheka.office.incidents.actions.take_news import take_account, take_unread, take_word
from sheka.office.incidents.closing import running_incidents
from sheka.office.incidents.freezing import follows_up, freezes
from sheka.office.incidents.models import Incident
from sheka.office.incidents.queries import find_things
from sheka.office.incidents.timeline import account_of
from sheka.office.messages.delivery import carry_all
from sheka.office.messages.models import Outbox
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor


def above(code="460000"):
    return Actor.process("incidents", code)


@pytest.mark.req("K9")
def test_an_account_that_comes_late_or_twice_changes_nothing(report, people, copy):
    made = report()
    old = account_of(made)
    take_incident(people["officer"], number=made.number)
    note_progress(people["officer"], number=made.number, text="The safe was opened.")
    theirs = copy(made, "460000")
    assert take_account(above(), source="460100", told=old) is None
    theirs.refresh_from_db()
    made.refresh_from_db()
    assert theirs.handled_by == made.handled_by == "officer 员"
    assert theirs.serial == made.serial


def test_only_the_origin_gives_an_account_and_only_to_those_above(report, refused):
    told = account_of(report())
    refused(Code.INCIDENT_NOT_CREDIBLE, take_account, above(), source="460200", told=told)
    refused(Code.INCIDENT_NOT_CREDIBLE, take_account, above("460200"), source="460100", told=told)


def test_a_word_counts_from_who_was_told_and_once(report, refused):
    made = report()
    carry_all()
    home = Actor.process("incidents", "460100")
    entry = made.entries.filter(verb="arrived").first().plain()
    assert take_word(home, source=entry["place"], number=made.number, entry=entry) is None
    new = entry | {"key": str(uuid4())}
    for source, said in (("460200", new), (entry["place"], new | {"verb": "close"}), ("460000", new | {"place": "x"})):
        refused(Code.INCIDENT_NOT_CREDIBLE, take_word, home, source=source, number=made.number, entry=said)
    refused(Code.INCIDENT_UNKNOWN, take_word, home, source="460000", number="I1", entry=new)
    refused(Code.INCIDENT_UNKNOWN, take_unread, above(), source="460100", number="I1", place="460000")
    refused(Code.INCIDENT_NOT_CREDIBLE, take_unread, above(), source="460200", number=made.number, place="460000")


def test_times_travel_with_their_zone(report, copy):
    made = report()
    assert Outbox.objects.first().payload["noticed_at"].endswith("+00:00")
    theirs = copy(made, "460000")
    made.refresh_from_db()
    assert (theirs.noticed_at, theirs.reported_at, theirs.due_at) == (made.noticed_at, made.reported_at, made.due_at)


@pytest.mark.req("K9")
def test_one_citys_incidents_are_hidden_from_another(report, tree):
    report()
    with acting_in(tree["460200"].path):
        assert not Incident.objects.exists()
    with acting_in(tree["460100"].path):
        assert Incident.objects.count() == 1


@pytest.mark.req("K9")
def test_the_report_on_paper_says_everything(report, people, copy):
    made = report("key_compromise", "key:irk.1")
    copy(made, "460000")
    facts = report_facts(Incident.objects.get(pk=made.pk))
    assert facts["kind"] == ["密钥泄露", "Key compromised"] and facts["origin"] == ["海口市", "Haikou"]
    assert facts["affected"][0]["state"] == ["已冻结", "frozen"] and facts["follow_ups"][0]["subject"] == "key:irk.1"
    assert len(facts["deadlines"]) == 4 and len(facts["receipts"]) == 2
    assert "尚未签阅" in facts["receipts"][0]["state"][0]
    assert [entry["what"][1] for entry in facts["entries"]][:2] == ["Reported", "Frozen"]


def test_documents_are_kept_with_what_one_may_read(report, people, refused):
    made = report()
    drill = record_drill(
        people["security"], kind="other", held_on=made.reported_at.date(), led_by="邢海珊", people="全体",
        scenario="Fire in the machine room.", result="passed",
    )  # fmt: skip
    assert must_reach(people["officer"], made.subject).word == "incident"
    assert must_reach(people["officer"], drill.subject).word == "drill"
    refused(Code.INCIDENT_UNKNOWN, must_reach, people["clerk"], made.subject)
    refused(Code.INCIDENT_DRILL_UNKNOWN, must_reach, people["clerk"], drill.subject)
    refused(Code.INCIDENT_DRILL_UNKNOWN, must_reach, people["above"], drill.subject)
    refused(Code.INCIDENT_DRILL_UNKNOWN, must_reach, people["officer"], "drill:one")


def test_an_organisation_with_an_incident_is_not_closed(report, copy):
    made = report()
    copy(made, "460000")
    assert running_incidents("460100") == 1 and running_incidents("460000") == 0


def test_things_are_found_in_the_bureau_for_whoever_reports(people, store):
    assert [thing.name for thing in find_things(people["clerk"], "carrier", "T")] == ["T-1", "T-2"]
    assert find_things(people["clerk"], "carrier", " ") == [] == find_things(people["clerk"], "machine", "M")


def test_a_registration_that_says_nothing_or_twice_stops_the_start(store, monkeypatch):
    """A freezer that could not thaw would be found on the worst of days."""
    from sheka.office.incidents import freezing

    monkeypatch.setattr(freezing, "_freezers", {})
    monkeypatch.setattr(freezing, "_follow_ups", {})

    @freezes("box")
    def freeze_box(actor, subject, incident):
        return "shut"

    @freezes("box")
    def thaw_box(actor, subject, incident):
        return "open"

    assert freezing.freezer_of("box").freeze is freeze_box and freezing.freezer_of("box").thaw is thaw_box
    with pytest.raises(ValueError, match="declared already"):
        freezes("box")(freeze_box)
    with pytest.raises(ValueError, match="missing"):
        freezes("lid")(type("Lid", (), {"freeze": freeze_box}))
    with pytest.raises(ValueError, match="unknown"):
        freezes("lid")(lambda actor, subject, incident: "")
    follows_up("paint", "box")(freeze_box)
    with pytest.raises(ValueError, match="declared already"):
        follows_up("paint")(freeze_box)
    assert freezing.follow_ups()["paint"].concerns("box") and not freezing.follow_ups()["paint"].concerns("lid")


def test_making_the_paper_needs_the_right(report, people, refused):
    made = report()
    refused(Code.PERMISSION_MISSING, issue_report, people["clerk"], number=made.number)
