"""Addresses of encryption machines."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.machines.views import unsealing

urlpatterns = [
    path("machines/unseal", unsealing.unseal, name="machines_unseal"),
    path("machines/unseal/progress", unsealing.progress, name="machines_unseal_progress"),
    path("machines/unseal/entry-key", unsealing.entry_key, name="machines_unseal_entry_key"),
]
