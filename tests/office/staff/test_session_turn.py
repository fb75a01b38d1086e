"""Sessions that ran out are ended by the clock, not only at their next request."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from sheka.office.staff.jobs import end_what_ran_out
from sheka.office.staff.models import StaffSession


@pytest.mark.django_db
def test_a_session_that_idled_is_ended_and_its_browser_forgotten(appoint):
    actor, now = appoint("wang", "460100-01", "clerk"), timezone.now()
    for key, seen_at in (("fresh", now), ("idle", now - timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(days=1))
        StaffSession.objects.create(
            staff_id=actor.staff_id,
            organisation_id="460100-01",
            key=key,
            factor="totp",
            address="127.0.0.1",
            agent="x",
            started_at=seen_at,
            seen_at=seen_at,
        )
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(days=1))
    end_what_ran_out()
    assert StaffSession.objects.get(key="idle").end_reason == "expired"
    assert StaffSession.objects.get(key="fresh").ended_at is None
    assert set(Session.objects.values_list("session_key", flat=True)) == {"fresh"}
