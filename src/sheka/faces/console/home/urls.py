"""Addresses of the first page and the help."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console import list_jobs
from sheka.faces.console.home import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("help", views.help_page, name="help"),
    path("lists/export", list_jobs.order, name="list_export"),
    path("lists/files/<int:number>", list_jobs.fetch, name="list_file"),
]
