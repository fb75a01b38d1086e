"""Addresses of transactions and of the live board."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.transactions import archive, board, page, search

urlpatterns = [
    path("transactions", search.search, name="transactions"),
    path("transactions/board", board.board, name="transactions_board"),
    path("transactions/board/live", board.live, name="transactions_board_live"),
    path("transactions/archive", archive.overview, name="transactions_archive"),
    path("transactions/archive/<int:day>", archive.one_day, name="transactions_archive_day"),
    path("transactions/archive/<int:day>/<slug:verb>", archive.verb, name="transactions_archive_verb"),
    path("transactions/archived", archive.search, name="transactions_archived"),
    path("transactions/<int:day>/<int:number>", page.one, name="transactions_one"),
    path("transactions/<int:day>/<int:number>/whole", page.whole, name="transactions_whole"),
]
