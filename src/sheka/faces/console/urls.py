"""Addresses of the console."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.views.i18n import set_language

from sheka.faces.console.doors import open_to_all
from sheka.faces.console.views import cards as card_views
from sheka.faces.console.views import entrance, lists, overview

open_to_all(set_language)
TOPICS = ("account", "staff", "approvals", "auditing", "documents", "jobs", "work", "operations")


class CardNumberInAddress:
    """What may be a card's number; anything else is no address of ours."""

    regex = "[0-9A-Za-z]{1,20}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(CardNumberInAddress, "card")

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("sign-in", entrance.sign_in, name="sign_in"),
    path("sign-in/code", entrance.second_factor, name="second_factor"),
    path("sign-out", entrance.sign_out, name="sign_out"),
    path("language", set_language, name="language"),
    path("search", card_views.search, name="search"),
    path("cards", card_views.cards, name="cards"),
    path("cards/<card:number>", card_views.card, name="card"),
    path("cards/<card:number>/<slug:verb>", card_views.card_verb, name="card_verb"),
    path("exchanges", card_views.exchanges, name="exchanges"),
    path("issuance", lists.issuance, name="issuance"),
    path("clearing", lists.clearing, name="clearing"),
    path("keys", lists.keys, name="keys"),
    path("audit", lists.audit, name="audit"),
    *(path("", include(f"sheka.faces.console.{topic}.urls")) for topic in TOPICS),
]
