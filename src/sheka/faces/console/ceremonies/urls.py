"""Addresses of this topic; the names are the console's (`console:ceremonies_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.ceremonies import planning, verbs, views

urlpatterns = [
    path("keys/ceremonies", views.ceremonies, name="ceremonies"),
    path("keys/ceremonies/plan", planning.choose, name="ceremonies_choose"),
    path("keys/ceremonies/plan/<str:kind>", planning.plan, name="ceremonies_plan"),
    path("keys/ceremonies/<str:number>", views.one, name="ceremonies_one"),
    path("keys/ceremonies/<str:number>/ledger", views.ledger, name="ceremonies_ledger"),
    path("keys/ceremonies/<str:number>/act", verbs.act, name="ceremonies_act"),
    path("keys/ceremonies/<str:number>/entry-key", verbs.entry_key, name="ceremonies_entry_key"),
    path("keys/ceremonies/<str:number>/abort", verbs.abort, name="ceremonies_abort"),
    path("keys/ceremonies/<str:number>/minutes", verbs.minutes, name="ceremonies_minutes"),
]
