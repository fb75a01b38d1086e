"""Addresses of this topic; the names are the console's (`console:operations_...`)."""

from __future__ import annotations

from django.urls import URLPattern, path

from sheka.faces.console.operations import calendar, health

urlpatterns: list[URLPattern] = [
    path("healthz", health.healthz, name="operations_healthz"),
    path("readyz", health.readyz, name="operations_readyz"),
    path("health", health.health, name="operations_health"),
    path("calendar", calendar.this_year, name="operations_calendars"),
    path("calendar/<int:year>", calendar.year, name="operations_calendar"),
    path("calendar/import", calendar.propose, name="operations_notice_import"),
    path("calendar/notices/<int:notice>/decide", calendar.decide, name="operations_notice_decide"),
    path("calendar/recounts/<int:number>", calendar.recount, name="operations_recount"),
]
