"""Addresses of this topic; the names are the console's (`console:approvals_...`)."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
