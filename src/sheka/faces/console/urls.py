"""Addresses of the console: each topic has its own."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from sheka.faces.console.doors import open_to_all
from sheka.faces.console.views import entrance

open_to_all(set_language)
TOPICS = (
    "home",
    "account",
    "work",
    "cards",
    "issuance",
    "keys",
    "clearing",
    "staff",
    "approvals",
    "auditing",
    "documents",
    "jobs",
    "operations",
)

app_name = "console"
urlpatterns = [
    path("sign-in", entrance.sign_in, name="sign_in"),
    path("sign-in/code", entrance.second_factor, name="second_factor"),
    path("sign-out", entrance.sign_out, name="sign_out"),
    path("language", set_language, name="language"),
    *(path("", include(f"sheka.faces.console.{topic}.urls")) for topic in TOPICS),
]
