"""Addresses of cards and exchanges."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.acquiring import pins
from sheka.faces.console.cards import exchanges, views


class CardNumberInAddress:
    """What may be a card's number; anything else is no address of ours."""

    regex = "[0-9A-Za-z]{1,20}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class ExchangeNumberInAddress(CardNumberInAddress):
    """What may be the number of a confirmation."""

    regex = "[0-9A-Za-z-]{1,30}"


register_converter(CardNumberInAddress, "card")
register_converter(ExchangeNumberInAddress, "exchange")

urlpatterns = [
    path("cards", views.cards, name="cards"),
    path("cards/<card:number>", views.card, name="card"),
    path("cards/<card:number>/exchange", exchanges.apply, name="card_exchange"),
    path("cards/<card:number>/online-pin", pins.set_pin, name="card_online_pin"),
    path("cards/<card:number>/<slug:verb>", views.card_verb, name="card_verb"),
    path("exchanges", exchanges.exchanges, name="exchanges"),
    path("exchanges/<exchange:number>", exchanges.exchange, name="exchange"),
    path("exchanges/<exchange:number>/<slug:verb>", exchanges.exchange_verb, name="exchange_verb"),
]
