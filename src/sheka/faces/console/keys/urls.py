"""Addresses of keys."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.keys import views

urlpatterns = [path("keys", views.keys, name="keys")]
