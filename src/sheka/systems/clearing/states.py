"""The states of a clearing day (S8)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition
from sheka.foundation.terms import Term

DAY = StateTable(
    "clearing day",
    "sealed",
    [
        Transition("sealed", "import", "sealed", "clearing officer, or the institution itself"),
        Transition("reconciled", "import", "sealed", "a file that came later: the day is reconciled again"),
        Transition("sealed", "reconcile", "reconciled", "clearing officer"),
        Transition("reconciled", "reconcile", "reconciled", "clearing officer"),
        Transition("reconciled", "net", "netted", "clearing officer"),
    ],
)
VERB_WORDS = {
    "import": Term("导入收单文件", "import a file"),
    "reconcile": Term("对账", "reconcile"),
    "net": Term("轧差", "net"),
}
"""As a refusal names them."""
