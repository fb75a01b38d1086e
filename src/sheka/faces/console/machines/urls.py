"""Addresses of encryption machines."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.machines.views import registry, unsealing

urlpatterns = [
    path("machines", registry.machines, name="machines_list"),
    path("machines/register", registry.register, name="machines_register"),
    path("machines/certificate", registry.certificate, name="machines_certificate"),
    path("machines/withdraw", registry.withdraw, name="machines_withdraw"),
    path("machines/of/<slug:code>", registry.machine, name="machines_one"),
    path("machines/of/<slug:code>/trust", registry.trust, name="machines_trust"),
    path("machines/unseal", unsealing.unseal, name="machines_unseal"),
    path("machines/unseal/progress", unsealing.progress, name="machines_unseal_progress"),
    path("machines/unseal/entry-key", unsealing.entry_key, name="machines_unseal_entry_key"),
]
