"""Addresses of the exceptions desk; the names are the console's (`console:exceptions_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.exceptions import desk, disputes, rules, views

urlpatterns = [
    path("exceptions", desk.desk, name="exceptions"),
    path("exceptions/dispute", disputes.new, name="exceptions_dispute"),
    path("exceptions/disputes", disputes.own, name="exceptions_disputes"),
    path("exceptions/rules", rules.rules, name="exceptions_rules"),
    path("exceptions/rules/log", rules.log, name="exceptions_rules_log"),
    path("exceptions/rules/<slug:rule>/switch", rules.switch, name="exceptions_rules_switch"),
    path("exceptions/<slug:number>", views.one, name="exceptions_one"),
    path("exceptions/<slug:number>/do/<slug:verb>", views.do, name="exceptions_do"),
]
