"""Addresses of clearing."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.clearing import views

urlpatterns = [
    path("clearing", views.days, name="clearing"),
    path("clearing/differences", views.differences, name="clearing_differences"),
    path("clearing/nets", views.nets, name="clearing_nets"),
    path("clearing/<slug:place>/<int:day>", views.one, name="clearing_one"),
    path("clearing/<slug:place>/<int:day>/<slug:verb>", views.verb, name="clearing_verb"),
]
