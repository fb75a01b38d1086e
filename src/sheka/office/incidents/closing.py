"""An organisation is not closed while an incident runs there."""

from __future__ import annotations

from django.db.models import F

from sheka.office.incidents.models import Incident
from sheka.office.incidents.states import RUNNING
from sheka.office.organisations.closing import keeps_open


@keeps_open("未结案的安全事件", "incidents that run")
def running_incidents(code: str) -> int:
    return Incident.objects.filter(organisation_id=code, origin=F("organisation_id"), state__in=RUNNING).count()
