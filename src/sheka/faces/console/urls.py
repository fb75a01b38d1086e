"""Addresses of the console: each topic has its own."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from sheka.faces.console.doors import open_to_all

open_to_all(set_language)
TOPICS = (
    "home",
    "account",
    "work",
    "cards",
    "issuance",
    "keys",
    "machines",
    "ceremonies",
    "custody",
    "psams",
    "accounts",
    "acquiring",
    "transactions",
    "clearing",
    "exceptions",
    "incidents",
    "staff",
    "clients",
    "approvals",
    "auditing",
    "documents",
    "jobs",
    "operations",
)

app_name = "console"
urlpatterns = [
    path("language", set_language, name="language"),
    *(path("", include(f"sheka.faces.console.{topic}.urls")) for topic in TOPICS),
]
