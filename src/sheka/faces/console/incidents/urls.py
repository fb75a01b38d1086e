"""Addresses of incidents; the names are the console's (`console:incidents_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.incidents import desk, plans, reporting, views

urlpatterns = [
    path("incidents", desk.desk, name="incidents"),
    path("incidents/report", reporting.report, name="incidents_report"),
    path("incidents/figures", desk.figures_page, name="incidents_figures"),
    path("incidents/plans", plans.plans, name="incidents_plans"),
    path("incidents/plans/<slug:kind>", plans.plan, name="incidents_plan"),
    path("incidents/plans/<slug:kind>/next", plans.edit, name="incidents_plan_edit"),
    path("incidents/plans/<slug:kind>/drill", plans.drill, name="incidents_drill_record"),
    path("incidents/drills/<int:number>", plans.held, name="incidents_drill"),
    path("incidents/<slug:number>", views.one, name="incidents_one"),
    path("incidents/<slug:number>/do/<slug:verb>", views.do, name="incidents_do"),
    path("incidents/<slug:number>/answer/<slug:demand>", views.answer, name="incidents_answer"),
    path("incidents/<slug:number>/thing/<slug:verb>", views.settle, name="incidents_thing"),
]
