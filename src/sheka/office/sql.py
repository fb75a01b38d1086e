"""Migrations that run the SQL files of an app, or put a table under row-level security."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations


def run_sql_file(migration: str, name: str) -> migrations.RunSQL:
    """A RunSQL of `<app>/sql/<name>`; pass the migration's own `__file__`. There is no way back."""
    return migrations.RunSQL((Path(migration).parent.parent / "sql" / name).read_text("utf-8"))


def scoped(table: str, column: str = "organisation_id") -> migrations.RunSQL:
    """Force row-level security on a table: its rows are those of the organisations in `sheka.scope` (design §2.6).

    `column` holds the code of the organisation that the row belongs to. The policy is for reading and for writing: a
    row cannot be put into an organisation out of scope. Depends on migration organisations 0002.
    """
    return migrations.RunSQL(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY {table}_scope ON {table}"
        f" USING ({column} = ANY ((SELECT sheka_organisations_in_scope())::text[]));"
    )
