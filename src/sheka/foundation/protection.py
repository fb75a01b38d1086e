"""What a process asks its database before it starts (ASVS 8.4): who am I there, do policies and triggers hold?

Pure text and judgement: the web process and the worker ask through Django, the switch through asyncpg. A database that
somebody opened, or a connection that could, starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOO_STRONG = (
    Term("超级用户", "a superuser"),
    Term("可绕过行级安全", "it bypasses row-level security"),
    Term("拥有数据表", "it owns the tables"),
)
_QUERY = """
SELECT session_user::text,
    EXISTS (SELECT FROM pg_roles r WHERE r.rolsuper AND pg_has_role(session_user, r.oid, 'MEMBER')),
    EXISTS (SELECT FROM pg_roles r WHERE r.rolbypassrls AND pg_has_role(session_user, r.oid, 'MEMBER')),
    EXISTS (SELECT FROM asked WHERE pg_has_role(session_user, relowner, 'MEMBER')),
    ARRAY (
        SELECT name::text FROM unnest({tables}) AS name LEFT JOIN asked ON relname = name
        WHERE NOT coalesce(relrowsecurity AND relforcerowsecurity, false)
            OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = asked.oid)
            OR EXISTS (
                SELECT FROM pg_policy WHERE polrelid = asked.oid AND polpermissive AND NOT polname = ANY ({published})
                    AND pg_get_expr(polqual, polrelid) = 'true'
                    AND EXISTS (SELECT FROM unnest(polroles) r WHERE r = 0 OR pg_has_role(session_user, r, 'MEMBER')))
        ORDER BY name),
    ARRAY (
        SELECT name::text FROM unnest({triggers}) AS name
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger JOIN asked ON asked.oid = tgrelid WHERE tgname = name AND tgenabled IN ('O', 'A'))
        ORDER BY name)
"""


def question(tables: Iterable[str], triggers: Iterable[str], published: Iterable[str]) -> str:
    """One statement whose row `judge` reads.

    `tables` must be under forced row-level security, and no policy may show all of a table to whoever asks, but for
    those named `published`. `triggers` must be there and enabled.
    """
    asked = (
        "WITH asked AS (SELECT c.oid, relname, relowner, relrowsecurity, relforcerowsecurity FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'p')"
        " AND relispartition IS FALSE) "
    )
    return asked + _QUERY.format(tables=_array(tables), triggers=_array(triggers), published=_array(published))


def judge(row: Sequence[object]) -> None:
    """Raises Refused: DATABASE_ROLE_TOO_STRONG, DATABASE_TABLE_OPEN, DATABASE_TRIGGER_MISSING."""
    role, *strengths = row[:4]
    for strong, reason in zip(strengths, _TOO_STRONG, strict=True):
        if strong:
            raise Refused(Code.DATABASE_ROLE_TOO_STRONG, role=role, reason=reason)
    open_tables, lost_triggers = row[4:]
    if open_tables:
        raise Refused(Code.DATABASE_TABLE_OPEN, tables=_list(open_tables))
    if lost_triggers:
        raise Refused(Code.DATABASE_TRIGGER_MISSING, triggers=_list(lost_triggers))


def _list(names: object) -> str:
    return ", ".join(names) if isinstance(names, list) else str(names)


def _array(names: Iterable[str]) -> str:
    """Our own names as an array in the text of a statement."""
    found = list(names)
    for name in found:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"not a name: {name}")
    return "ARRAY[" + ", ".join(f"'{name}'" for name in found) + "]::name[]"
