"""Addresses of issuance."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.issuance import views

urlpatterns = [
    path("issuance", views.applications, name="issuance"),
    path("issuance/numbers", views.numbers, name="issuance_numbers"),
]
