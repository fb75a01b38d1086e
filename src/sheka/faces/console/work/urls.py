"""Addresses of the work queue, the notices and the search."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.work import notices, search, views

urlpatterns = [
    path("queue", views.queue, name="work"),
    path("queue/next", views.next_case, name="work_next"),
    path("queue/take", views.take, name="work_take"),
    path("queue/assign", views.assign_many, name="work_assign"),
    path("queue/case/<int:number>", views.item, name="work_item"),
    path("queue/case/<int:number>/open", views.open_item, name="work_open"),
    path("queue/case/<int:number>/<slug:verb>", views.item_verb, name="work_verb"),
    path("queue/<slug:name>", views.queue, name="work_queue"),
    path("notices", notices.notices, name="work_notices"),
    path("notices/bell", notices.bell, name="work_bell"),
    path("notices/read", notices.read, name="work_read"),
    path("search", search.search_page, name="search"),
]
