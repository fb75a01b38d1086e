"""Migrations that run the SQL files of an app, or put a table under row-level security (design §2.6).

A policy asks for each row whether its organisation lies in `sheka.scope`. It is written with EXISTS, so that the
planner chooses: one look at the tree for a single row, a hashed set for a million (measured: docs/adr/0006).
Migrations that use it depend on organisations 0002.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations


def run_sql_file(migration: str, name: str) -> migrations.RunSQL:
    """A RunSQL of `<app>/sql/<name>`; pass the migration's own `__file__`. There is no way back."""
    return migrations.RunSQL((Path(migration).parent.parent / "sql" / name).read_text("utf-8"))


def scoped(table: str, column: str = "organisation_id", *, readable: bool = False) -> migrations.RunSQL:
    """Force row-level security on a table: its rows are those of the organisations in `sheka.scope`.

    `column` holds the code of the organisation that the row belongs to. The policy is for reading and for writing: a
    row cannot be put into an organisation out of scope. `readable`: every organisation reads all rows, for what is
    published to all of them (public keys); writing stays in scope.
    """
    inside = (
        f"EXISTS (SELECT FROM organisations_organisation AS place"
        f" WHERE place.code = {table}.{column} AND place.path <@ (SELECT sheka_scope()))"
    )
    published = f"CREATE POLICY {table}_published ON {table} FOR SELECT USING (true);" if readable else ""
    return migrations.RunSQL(_forced(table) + f"CREATE POLICY {table}_scope ON {table} USING ({inside});{published}")


def scoped_by(table: str, column: str, parent: str) -> migrations.RunSQL:
    """Force row-level security on a table whose rows belong to a row of `parent`, by its `id` in `column`.

    A row is seen and written where its parent is seen: the parent's own policy decides.
    """
    inside = f"EXISTS (SELECT FROM {parent} AS parent WHERE parent.id = {table}.{column})"
    return migrations.RunSQL(_forced(table) + f"CREATE POLICY {table}_scope ON {table} USING ({inside});")


def open_to(table: str, role: str, *, writing: bool = False) -> migrations.RunSQL:
    """Let a database role see every row of a scoped table, and with `writing` change it, as far as its grants go.

    The planner sees that nothing is left to ask: such a role pays nothing for the policies.
    """
    verb = "ALL" if writing else "SELECT"
    return migrations.RunSQL(f"CREATE POLICY {table}_{role} ON {table} FOR {verb} TO {role} USING (true)")


def open_to_functions_for(table: str, caller: str) -> migrations.RunSQL:
    """Let the owner's functions (SECURITY DEFINER) read every row when this database role has called them.

    Called by another role they see what lies in its scope; the owner itself stays under the policy as well.
    """
    return migrations.RunSQL(
        f"CREATE POLICY {table}_told ON {table} FOR SELECT TO CURRENT_USER USING (SESSION_USER = '{caller}')"
    )


def _forced(table: str) -> str:
    return f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
