"""Addresses of this topic; the names are the console's (`console:clients_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.clients import views

urlpatterns = [
    path("clients", views.clients, name="clients_list"),
    path("clients/make", views.make, name="clients_make"),
    path("clients/<slug:code>", views.client, name="clients_one"),
    path("clients/<slug:code>/rotate", views.rotate, name="clients_rotate"),
    path("clients/<slug:code>/end", views.end, name="clients_end"),
]
