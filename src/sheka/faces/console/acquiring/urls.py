"""Addresses of institutions and terminals."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.acquiring import line_pages, views


class InstitutionCode:
    """What may be the code of an institution."""

    regex = "[0-9A-Za-z]{1,14}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class TerminalInAddress(InstitutionCode):
    """What may be the number of a terminal; wider than it is, so that a wrong one is told and not lost."""

    regex = "[0-9]{1,12}"


class Fingerprint(InstitutionCode):
    """The fingerprint of a certificate."""

    regex = "[0-9a-f]{64}"


register_converter(InstitutionCode, "institution")
register_converter(Fingerprint, "fingerprint")
register_converter(TerminalInAddress, "terminal")
urlpatterns = [
    path("acquiring", views.institutions, name="acquiring"),
    path("acquiring/new", views.register, name="acquiring_register"),
    path("acquiring/map", views.map_page, name="acquiring_map"),
    path("acquiring/test-cards", views.test_cards, name="acquiring_cards"),
    path("acquiring/test-cards/<int:number>/money", views.test_money, name="acquiring_money"),
    path("acquiring/certificates", line_pages.certificates, name="acquiring_certificates"),
    path("acquiring/terminals", views.terminals, name="acquiring_terminals"),
    path("acquiring/terminals/<terminal:number>", views.terminal, name="acquiring_terminal"),
    path("acquiring/terminals/<terminal:number>/<slug:verb>", views.terminal_verb, name="acquiring_terminal_verb"),
    path("acquiring/institutions/<institution:code>", views.institution, name="acquiring_institution"),
    path("acquiring/institutions/<institution:code>/tests", views.tests, name="acquiring_tests"),
    path("acquiring/institutions/<institution:code>/line", line_pages.line, name="acquiring_line"),
    path(
        "acquiring/institutions/<institution:code>/line/<slug:verb>", line_pages.line_verb, name="acquiring_line_verb"
    ),
    path(
        "acquiring/institutions/<institution:code>/certificates/<fingerprint:fingerprint>",
        line_pages.certificate,
        name="acquiring_certificate",
    ),
    path("acquiring/institutions/<institution:code>/<slug:verb>", views.institution_verb, name="acquiring_verb"),
]
