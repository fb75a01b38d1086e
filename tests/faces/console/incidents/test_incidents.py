"""The pages of incidents: a report in one page, the desk, the verbs with their reasons, plans and drills (K9)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests.support.approvals import decided

from sheka.office.approvals.models import Proposal
from sheka.office.incidents.models import Drill, Incident, Plan
from sheka.office.messages.delivery import carry_all

SAID = "The safe was found open."


def text_of(answer, status=200):
    page = answer.content.decode()
    assert answer.status_code == status, page[-3000:]
    return page


def noticed():
    return timezone.localtime().strftime("%Y-%m-%dT%H:%M")


def reported(desk, **more):
    """The incident that this desk reports over the page."""
    form = {"kind": "lost_carrier", "about": SAID, "noticed_at": noticed(), "affected": "carrier:T-1", **more}
    form = {name: value for name, value in form.items() if value}
    assert desk.ask("POST", "/incidents/report", form).status_code == 302
    return Incident.objects.filter(organisation_id="460100").latest("pk")


def does(desk, incident, verb, **form):
    """The verb over the page; the incident as it is then."""
    answer = desk.ask("POST", f"/incidents/{incident.number}/do/{verb}", form)
    assert answer.status_code == 302, text_of(answer, answer.status_code)
    incident.refresh_from_db()
    return incident


def proof(desk):
    """Password and one-time code of this person, as the page asks for them."""
    device = TOTPDevice.objects.filter(user_id=desk.actor.staff_id).first()
    device = device or TOTPDevice.objects.create(user_id=desk.actor.staff_id, name="phone", confirmed=True)
    code = totp(device.bin_key, device.step, device.t0, device.digits)
    return {"confirm_password": "a long pass phrase", "confirm_code": f"{code:06d}"}


@pytest.mark.req("K9")
def test_a_report_takes_one_page(desks, store):
    """A clerk who sees something wrong finds the thing, ticks it and sends: no second page, no permission missing."""
    clerk = desks["clerk"]
    assert "Report now" in text_of(clerk.get("/incidents/report"))
    looked = {"kind": "lost_carrier", "about": SAID, "noticed_at": noticed(), "look": "1"}
    page = text_of(clerk.ask("POST", "/incidents/report", looked | {"look-sort": "carrier", "look-text": "T"}))
    assert 'value="carrier:T-1"' in page and "transmission key card, safe 2" in page
    assert SAID in page, "what was written stays"
    made = reported(clerk)
    assert store == ["T-1"] and made.reported_from == "460100-01"
    page = text_of(clerk.get("/incidents/report"))
    assert made.number in page
    own = text_of(clerk.get(f"/incidents/{made.number}"))
    assert SAID in own and "Take in hand" not in own, "the reporter reads the own report and handles nothing"
    assert clerk.get("/incidents").status_code == 403


def test_what_is_typed_and_not_found_is_reported_as_typed(desks, store, monkeypatch):
    clerk = desks["clerk"]
    looked = {"look": "1", "look-sort": "psam", "look-text": "P-7"}
    page = text_of(clerk.ask("POST", "/incidents/report", looked))
    assert re.search(r'value="psam:P-7" checked', page) and "as typed" in page
    bad = text_of(clerk.ask("POST", "/incidents/report", {"look": "1", "look-sort": "psam", "look-text": "<b>"}))
    assert "&lt;b&gt;" in bad or "psam:" not in bad


@pytest.mark.parametrize(
    "wrong", [{"kind": ""}, {"about": "no"}, {"noticed_at": "yesterday"}, {"noticed_at": "2031-01-01T10:00"}]
)
def test_a_report_that_lacks_something_says_what(desks, wrong):
    form = {"kind": "lost_carrier", "about": SAID, "noticed_at": noticed()} | wrong
    page = text_of(desks["clerk"].ask("POST", "/incidents/report", form), 422)
    assert "govuk-error-summary" in page or "notice--stop" in page
    assert not Incident.objects.exists()


def test_a_document_that_is_none_does_not_undo_the_report(desks, store):
    """The report counts at once; what was wrong with the file is said."""
    clerk = desks["clerk"]
    send = clerk.requests.post(
        "/incidents/report",
        {
            "kind": "lost_carrier",
            "about": SAID,
            "noticed_at": noticed(),
            "document": SimpleUploadedFile("letter.pdf", b"no pdf at all"),
        },
    )
    send._dont_enforce_csrf_checks = True
    assert clerk.handler.get_response(send).status_code == 302
    assert Incident.objects.count() == 1


@pytest.mark.req("K9")
def test_the_way_to_the_end_over_the_pages(desks, store):
    """Each step is done by who may, and the page says to the others why not."""
    made = reported(desks["clerk"])
    officer, approver = desks["officer"], desks["approver"]
    page = text_of(officer.get(f"/incidents/{made.number}"))
    assert "Take in hand" in page and "Nobody has taken this incident in hand yet." in page
    does(officer, made, "take")
    assert officer.ask("POST", f"/incidents/{made.number}/do/contain", {"contain-text": ""}).status_code == 422
    does(officer, made, "contain", **{"contain-text": SAID})
    does(officer, made, "find_cause", **{"find_cause-text": SAID})
    does(officer, made, "handle", **{"handle-text": SAID})
    page = text_of(approver.get(f"/incidents/{made.number}"))
    assert "carrier:T-1 is still frozen; what becomes of it is not decided." in page
    asked = officer.ask("POST", f"/incidents/{made.number}/thing/destroy", {"subject": "carrier:T-1"})
    assert "Why, and what shows it" in text_of(asked)
    form = {"subject": "carrier:T-1", "thing-text": "Shredded before two witnesses."}
    assert officer.ask("POST", f"/incidents/{made.number}/thing/destroy", form).status_code == 302
    made.refresh_from_db()
    asked = text_of(approver.ask("POST", f"/incidents/{made.number}/do/close", {"close-text": SAID}))
    assert "Confirm that it is you" in asked and "Close: Key carrier lost" in asked
    made.refresh_from_db()
    assert made.state == "handled", "nothing is closed before presence is proved"
    does(approver, made, "close", **{"close-text": SAID}, **proof(approver))
    assert made.state == "closed"
    page = text_of(approver.get(f"/incidents/{made.number}"))
    assert "Open again" in page


@pytest.mark.req("K9")
def test_those_above_sign_and_ask_for_more_over_the_page(desks, store):
    made = reported(desks["clerk"])
    carry_all()
    above, officer = desks["above"], desks["officer"]
    page = text_of(above.get(f"/incidents/{made.number}"))
    assert "Sign as read" in page and "This incident is handled by Haikou" in page
    theirs = Incident.objects.get(number=made.number, organisation_id="460000")
    does(above, theirs, "read")
    does(above, theirs, "demand", **{"demand-text": "Who had the key of the safe?"})
    carry_all()
    does(officer, made, "take")
    page = text_of(officer.get(f"/incidents/{made.number}"))
    assert "Who had the key of the safe?" in page and "above <span" in page
    key = made.entries.get(verb="demand").key
    assert officer.ask("POST", f"/incidents/{made.number}/answer/{key}", {"answer-text": ""}).status_code == 422
    assert officer.ask("POST", f"/incidents/{made.number}/answer/nothing", {"answer-text": SAID}).status_code == 404
    assert officer.ask("POST", f"/incidents/{made.number}/answer/{key}", {"answer-text": SAID}).status_code == 302
    carry_all()
    assert theirs.entries.filter(verb="answer").exists()


def test_letting_a_thing_go_asks_for_presence(desks, store):
    made = reported(desks["clerk"])
    form = {"subject": "carrier:T-1", "thing-text": "It was found sealed."}
    does(desks["officer"], made, "take")
    page = text_of(desks["approver"].ask("POST", f"/incidents/{made.number}/thing/thaw", form))
    assert "Confirm that it is you" in page and store == ["T-1"]
    assert desks["officer"].ask("POST", f"/incidents/{made.number}/thing/thaw", form).status_code == 403
    assert desks["officer"].ask("POST", f"/incidents/{made.number}/thing/melt", form).status_code == 404
    assert desks["officer"].ask("POST", f"/incidents/{made.number}/do/melt").status_code == 404
    again = desks["officer"].ask("POST", f"/incidents/{made.number}/thing/freeze", {"subject": "carrier:T-1"})
    assert "The state is frozen: Freeze cannot be done now." in text_of(again, 409)
    released = desks["approver"].ask("POST", f"/incidents/{made.number}/thing/thaw", form | proof(desks["approver"]))
    assert released.status_code == 302 and store == []


@pytest.mark.req("K9")
def test_the_desk_shows_clocks_in_words(desks, store):
    """A red thing is never red only: how long, and what for, stands beside it."""
    late = reported(desks["clerk"])
    other = reported(desks["clerk"], kind="lost_psam", affected="psam:P1")
    Incident.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=3))
    late.deadlines.filter(name="acknowledge").update(due_at=timezone.now() - timedelta(hours=3))
    page = text_of(desks["officer"].get("/incidents"))
    assert "Overdue for 3 h: Taken in hand" in page and "1 past their time" in page
    assert re.search(r"\d+ min left: Taken in hand", page)
    assert page.index(late.number) < page.index(other.number), "the clock that ran out first stands first"
    page = text_of(desks["officer"].get("/incidents?state=overdue"))
    assert late.number in page and "PSAM lost</td>" not in page
    assert "II, grave" in page and "Haikou" in page


@pytest.mark.req("K9")
def test_a_plan_goes_through_its_approver(desks, store):
    security, approver = desks["security"], desks["approver"]
    page = text_of(security.get("/incidents/plans"))
    assert page.count("Default plan, not adopted") == 11
    assert "Adopt an own plan" in text_of(security.get("/incidents/plans/lost_carrier"))
    form = {
        "valid_from": timezone.localdate().isoformat(),
        "severity": "1",
        "freezes": "carrier",
        "notify": "key_officer",
        "acknowledge_minutes": "20",
        "contain_minutes": "60",
        "cause_hours": "48",
        "close_days": "10",
        "steps": "停止使用，封存记录。",
    }
    assert "Choose at least one role" in text_of(
        security.ask(
            "POST",
            "/incidents/plans/lost_carrier/next",
            {name: value for name, value in form.items() if name != "notify"},
        ),
        422,
    )
    assert "3930" in text_of(
        security.ask("POST", "/incidents/plans/lost_carrier/next", form | {"close_days": "900"}), 422
    )
    assert security.ask("POST", "/incidents/plans/lost_carrier/next", form).status_code == 302
    asked = Proposal.objects.get(kind="incidents.plan")
    page = text_of(approver.get(f"/approvals/{asked.pk}"))
    assert "Key carrier lost" in page and "To be taken in hand (minutes)" in page
    assert "A version waits for approval" in text_of(security.get("/incidents/plans/lost_carrier"))
    decided(approver.actor, asked)
    form |= {"acknowledge_minutes": "25", "valid_from": (timezone.localdate() + timedelta(days=1)).isoformat()}
    assert security.ask("POST", "/incidents/plans/lost_carrier/next", form).status_code == 302
    decided(approver.actor, Proposal.objects.latest("pk"))
    page = text_of(security.get("/incidents/plans/lost_carrier?version=2"))
    assert "Version 2 beside version 1" in page and re.search(r"<del>.*20</del> <ins>.*25</ins>", page)
    assert security.get("/incidents/plans/lost_carrier?version=9").status_code == 404
    assert Plan.objects.get(version=1).valid_to == timezone.localdate() + timedelta(days=1)
    made = reported(desks["clerk"])
    assert (made.plan_version, made.severity) == (1, 1)


@pytest.mark.req("K9")
def test_a_drill_is_recorded_with_its_measures(desks):
    security = desks["security"]
    form = {
        "held_on": timezone.localdate().isoformat(),
        "led_by": "邢海珊",
        "people": "密钥管理组",
        "scenario": "载体在运输途中丢失",
        "result": "gaps",
    }
    assert "3935" in text_of(security.ask("POST", "/incidents/plans/lost_carrier/drill", form), 422)
    form["measures"] = "更新联系人"
    assert security.ask("POST", "/incidents/plans/lost_carrier/drill", form).status_code == 302
    drill = Drill.objects.get()
    assert "passed with gaps" in text_of(security.get(f"/incidents/drills/{drill.pk}"))
    assert "passed with gaps" in text_of(security.get("/incidents/plans/lost_carrier"))
    assert security.get("/incidents/drills/999999").status_code == 404


def test_figures_and_the_side(desks, store):
    reported(desks["clerk"])
    page = text_of(desks["officer"].get("/incidents/figures"))
    assert "Key carrier lost" in page and "By severity" in page
    assert "Incident desk" in page
    empty = text_of(desks["above"].get("/incidents/figures"))
    assert "No incident" in empty


@pytest.mark.req("K6")
def test_a_false_alarm_is_decided_over_the_page(desks, store):
    made = reported(desks["clerk"], affected="")
    officer, approver = desks["officer"], desks["approver"]
    does(officer, made, "take")
    does(officer, made, "doubt", **{"doubt-text": "It lay in the second drawer."})
    assert "A false alarm, says" in text_of(approver.get(f"/incidents/{made.number}"))
    does(approver, made, "uphold", **{"uphold-text": "The drawer was searched yesterday."})
    refused = approver.ask("POST", f"/incidents/{made.number}/do/dismiss", {"dismiss-text": SAID})
    assert "Nobody has called this incident a false alarm." in text_of(refused, 409)
    does(officer, made, "doubt", **{"doubt-text": "It lay in the third drawer."})
    assert does(approver, made, "dismiss", **{"dismiss-text": SAID}, **proof(approver)).state == "false_alarm"
