"""The jobs of the audit: the verification that an auditor starts, the heads that the clock exports."""

from __future__ import annotations

import json
import logging

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit import heads, jobs
from sheka.office.audit.models import Event
from sheka.office.audit.queries import event_of, events_of, place_of
from sheka.office.audit.trail import head, record
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.runner import perform
from sheka.office.scope import acting_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(appoint):
    return appoint("mo", "460100", "auditor")


def verified(actor):
    run = start_job(actor, "audit.verify")
    perform(run.pk, run.queue_id)
    return JobRun.objects.get(pk=run.pk)


def test_the_clock_exports_a_head_and_midnight_says_it_in_the_log(trail, machine, caplog):
    jobs.export()
    jobs.export()
    assert [one.sequence for one in heads.read_heads(heads.folder_of_heads())] == [trail[0]]
    with caplog.at_level(logging.INFO, logger="sheka.audit"):
        jobs.say_head()
    assert f"audit head {trail[0]} {trail[1].hex()}" in caplog.text
    assert len(list(heads.read_heads(heads.folder_of_heads()))) == 2


def test_a_machine_that_is_away_is_said_in_the_log_with_the_head(trail, machine, monkeypatch, caplog):
    def away():
        raise Refused(Code.AUDIT_NO_MACHINE)

    monkeypatch.setattr(heads, "signing_machine", away)
    with caplog.at_level(logging.INFO, logger="sheka.audit"):
        jobs.say_head()
    assert "3203" in caplog.text
    assert trail[1].hex() in caplog.text


def test_a_verification_is_a_job_with_its_result_and_is_audited(trail, machine, auditor):
    jobs.export()
    run = verified(auditor)
    assert (run.state, run.result["holds"], run.result["anchored"]) == ("done", True, head()[0] - 2)
    event = Event.objects.get(event="audit.verified")
    assert (event.staff_id, json.loads(event.facts)["count"]) == (auditor.staff_id, 0)


def test_what_it_finds_is_in_the_result(trail, machine, auditor):
    jobs.export()
    stranger = type(machine)()
    machine.public = stranger.public
    run = verified(auditor)
    assert run.result["holds"] is False
    assert [finding["fault"] for finding in run.result["findings"]] == ["head_foreign"]


def test_an_auditor_reads_the_own_organisation_and_those_below(trail, machine, auditor, appoint):
    clerk, elsewhere = appoint("wang", "460100-01", "clerk"), appoint("san", "460200", "auditor")
    own = record(clerk, "test.event", "thing:below")
    jobs.export()
    with acting_in(auditor.scope):
        row = event_of(auditor, own)
        assert (place_of(row).intact, place_of(row).head.sequence) == (True, own)
    with acting_in(elsewhere.scope), pytest.raises(Refused) as refused:
        event_of(elsewhere, own)
    assert refused.value.code is Code.AUDIT_ROW_UNKNOWN
    with pytest.raises(Refused) as refused:
        events_of(clerk)
    assert refused.value.code is Code.PERMISSION_MISSING
