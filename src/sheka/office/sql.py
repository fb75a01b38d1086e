"""Migrations that run the SQL files of an app."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations


def run_sql_file(migration: str, name: str) -> migrations.RunSQL:
    """A RunSQL of `<app>/sql/<name>`; pass the migration's own `__file__`. There is no way back."""
    return migrations.RunSQL((Path(migration).parent.parent / "sql" / name).read_text("utf-8"))
