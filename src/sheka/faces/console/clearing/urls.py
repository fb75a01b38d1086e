"""Addresses of clearing."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.clearing import views

urlpatterns = [path("clearing", views.days, name="clearing")]
