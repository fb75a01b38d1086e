"""Addresses of the console."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("sheka.faces.console.urls"))]
