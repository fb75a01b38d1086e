"""Addresses of transactions and of the live board."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.transactions import board, page, search

urlpatterns = [
    path("transactions", search.search, name="transactions"),
    path("transactions/board", board.board, name="transactions_board"),
    path("transactions/board/live", board.live, name="transactions_board_live"),
    path("transactions/<int:day>/<int:number>", page.one, name="transactions_one"),
    path("transactions/<int:day>/<int:number>/whole", page.whole, name="transactions_whole"),
]
