"""Incidents over the API: a partner reports, a bureau's programs read how they stand; nobody decides there (K9)."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.api import partner_of

from sheka.office.incidents.models import Incident
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.permissions import Permission

REPORT = {"kind": "terminal_stolen", "affected": ["terminal:T-1"], "about": "The terminal is gone since noon."}


@pytest.fixture
def hospital(installer, tree):
    """A hospital of Haikou."""
    return add_organisation(
        installer,
        code="H46010000009",
        name="医院",
        name_en="Hospital",
        kind="hospital",
        region="460100",
        parent="460100",
        valid_from=timezone.localdate(),
    ).code


@pytest.mark.req("K9")
def test_a_partner_reports_and_the_bureau_reads(installer, hospital, store):
    """Lost: a hospital that finds its terminal stolen has to telephone, and nothing is stopped until somebody types."""
    partner = partner_of(installer, hospital, [Permission.INCIDENT_REPORT])
    answer = partner.post("/incidents", REPORT)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["affected"] == [{"subject": "terminal:T-1", "state": "frozen"}] and store.frozen == ["T-1"]
    assert (made["origin"], made["severity"], len(made["receipts"])) == ("460100", 3, 2)
    assert partner.get(f"/incidents/{made['number']}").status_code == 403
    bureau = partner_of(installer, "460100", [Permission.INCIDENT_VIEW])
    assert bureau.get(f"/incidents/{made['number']}").json()["state"] == "new"
    assert [row["number"] for row in bureau.get("/incidents").json()["items"]] == [made["number"]]
    assert bureau.get("/incidents/I460100-20200101-01").status_code == 404


def test_a_report_sent_twice_is_one_incident(installer, hospital, store):
    partner = partner_of(installer, hospital, [Permission.INCIDENT_REPORT])
    answers = [partner.post("/incidents", REPORT, key="a-key-of-the-client").json()["number"] for _turn in range(2)]
    assert answers[0] == answers[1] and Incident.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "boredom"},
        {"about": "gone"},
        {"affected": ["T-1"]},
        {"affected": ["person:4"]},
        {"noticed_at": "2031-01-01T00:00:00Z"},
        {"severity": 9},
        {"noticed_at": "2026-11-22T09:00:00"},
    ],
)
def test_a_report_that_is_none_is_a_problem(wrong, installer, hospital, store):
    partner = partner_of(installer, hospital, [Permission.INCIDENT_REPORT])
    answer = partner.post("/incidents", REPORT | wrong)
    assert answer.status_code == 422 and answer.json()["code"]
    assert not Incident.objects.exists()
