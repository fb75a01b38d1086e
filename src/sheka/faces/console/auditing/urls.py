"""Addresses of this topic; the names are the console's (`console:auditing_...`)."""

from __future__ import annotations

from django.urls import URLPattern, path

from sheka.faces.console.auditing import views

urlpatterns: list[URLPattern] = [
    path("audit", views.events, name="auditing_events"),
    path("audit/<int:sequence>", views.event, name="auditing_event"),
    path("audit/verify", views.verify, name="auditing_verify"),
    path("audit/verifications/<int:number>", views.verification, name="auditing_verification"),
]
