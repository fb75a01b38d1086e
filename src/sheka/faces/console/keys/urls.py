"""Addresses of keys."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.keys import consignments, proposing, views

urlpatterns = [
    path("keys", views.keys, name="keys"),
    path("keys/tree", views.first_tree, name="keys_first_tree"),
    path("keys/catalogue", views.catalogue, name="keys_catalogue"),
    path("keys/consignments", consignments.consignments, name="keys_consignments"),
    path("keys/consignments/<uuid:number>", consignments.consignment, name="keys_consignment"),
    path("keys/ask/<slug:step>", proposing.ask, name="keys_ask"),
    path("keys/of/<str:label>", views.key, name="keys_one"),
    path("keys/of/<str:label>/tree", views.tree, name="keys_tree"),
]
