"""Addresses of this topic; the names are the console's (`console:auditing_...`)."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
