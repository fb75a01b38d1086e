"""Addresses of PSAMs and of the block list."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.psams import blocks, views


class SerialInAddress:
    """What may be the serial of a PSAM."""

    regex = "[0-9A-Z][0-9A-Z-]{2,31}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(SerialInAddress, "psam")

urlpatterns = [
    path("psams", views.stock, name="psams"),
    path("psams/map", views.places, name="psams_map"),
    path("psams/orders", views.orders, name="psams_orders"),
    path("psams/orders/new", views.order, name="psams_order"),
    path("psams/<psam:serial>", views.one, name="psams_one"),
    path("psams/<psam:serial>/<slug:verb>", views.verb, name="psams_verb"),
    path("blocks", blocks.blocks, name="psams_blocks"),
    path("blocks/new", blocks.place, name="psams_block"),
    path("blocks/<int:number>/lift", blocks.lift, name="psams_lift"),
]
