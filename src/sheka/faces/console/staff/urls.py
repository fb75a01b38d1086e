"""Addresses of this topic; the names are the console's (`console:staff_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.staff import organisations, views

urlpatterns = [
    path("people", views.people, name="staff_people"),
    path("people/appoint", views.appoint, name="staff_appoint"),
    path("people/<str:login>", views.person, name="staff_person"),
    path("people/<str:login>/sign-ins", views.sign_ins, name="staff_sign_ins"),
    path("people/<str:login>/grants/<int:number>/end", views.end, name="staff_end_grant"),
    path("people/<str:login>/<slug:verb>", views.verb, name="staff_verb"),
    path("organisations", organisations.organisations, name="staff_organisations"),
    path("organisations/add", organisations.add, name="staff_add_organisation"),
    path("organisations/<str:code>", organisations.one, name="staff_organisation"),
    path("organisations/<str:code>/<slug:verb>", organisations.verb, name="staff_organisation_verb"),
]
