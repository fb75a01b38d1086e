"""Addresses of this topic; the names are the console's (`console:jobs_...`)."""

from __future__ import annotations

from django.urls import URLPattern, path

from sheka.faces.console.jobs import views

urlpatterns: list[URLPattern] = [
    path("jobs", views.jobs, name="jobs_list"),
    path("jobs/<int:number>", views.job, name="jobs_job"),
    path("jobs/<int:number>/progress", views.progress, name="jobs_progress"),
    path("jobs/<int:number>/cancel", views.cancel, name="jobs_cancel"),
    path("jobs/<int:number>/again", views.again, name="jobs_again"),
]
