"""Addresses of accounts."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.accounts import files, interest, statements, views


class AccountInAddress:
    """What may be the number of an account."""

    regex = "[0-9A-Za-z]{1,29}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class OrderInAddress(AccountInAddress):
    """What may be the number of a file, a run or a payment out."""

    regex = "[0-9A-Za-z-]{1,40}"


register_converter(AccountInAddress, "account")
register_converter(OrderInAddress, "order")

urlpatterns = [
    path("accounts", views.accounts, name="accounts"),
    path("accounts/files", files.files, name="accounts_files"),
    path("accounts/files/new", files.send, name="accounts_file_new"),
    path("accounts/files/refused", files.refused, name="accounts_files_refused"),
    path("accounts/files/<order:number>", files.file, name="accounts_file"),
    path("accounts/files/<order:number>/state", files.state, name="accounts_file_state"),
    path("accounts/files/<order:number>/<slug:verb>", files.verb, name="accounts_file_verb"),
    path("accounts/interest", interest.runs, name="accounts_interest"),
    path("accounts/interest/new", interest.reckon, name="accounts_interest_new"),
    path("accounts/interest/<order:number>", interest.run, name="accounts_interest_one"),
    path("accounts/interest/<order:number>/<slug:verb>", interest.verb, name="accounts_interest_verb"),
    path("accounts/payouts/<order:number>", views.payout, name="accounts_payout"),
    path("accounts/late/<int:late>", views.late, name="accounts_late"),
    path("accounts/<account:number>", views.one, name="accounts_one"),
    path("accounts/<account:number>/statement", statements.statement, name="accounts_statement"),
    path("accounts/<account:number>/entries/<int:posting>/correct", views.correct, name="accounts_correct"),
    path("accounts/<account:number>/freezes/<int:freeze>/release", views.release, name="accounts_release"),
    path("accounts/<account:number>/<slug:verb>", views.verb, name="accounts_verb"),
]
