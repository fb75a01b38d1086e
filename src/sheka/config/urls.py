"""Addresses of the API and of the console."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("api/", include("sheka.faces.api.urls")), path("", include("sheka.faces.console.urls"))]
