"""Addresses of this topic; the names are the console's (`console:documents_...`)."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.documents import papers, verify, views
from sheka.office.documents.subjects import SUBJECT


class SubjectInAddress:
    """What documents are about, as its system names it ("exchange:H4601…"); never a person's number."""

    regex = SUBJECT.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(SubjectInAddress, "subject")

urlpatterns = [
    path("documents", views.documents, name="documents"),
    path("documents/dispose", views.dispose, name="documents_dispose"),
    path("documents/<int:number>", views.document, name="documents_view"),
    path("documents/<int:number>/void", papers.void, name="documents_void"),
    path("documents/<subject:subject>", views.about, name="documents_about"),
    path("documents/<subject:subject>/keep", views.keep, name="documents_keep"),
    path("documents/<subject:subject>/paper/<slug:name>", papers.issue, name="documents_issue"),
    path("verify", verify.verify, name="documents_verify"),
    path("verify/<str:code>", verify.verify, name="documents_verify_code"),
]
