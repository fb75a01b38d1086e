"""Column types of PostgreSQL that Django does not know."""

from __future__ import annotations

from django.db import models


class LtreeField(models.TextField):
    """A path in the tree of organisations, as PostgreSQL's ltree (labels of A-Z a-z 0-9 _ joined by dots)."""

    def db_type(self, connection: object) -> str:
        return "ltree"

    def get_placeholder(self, value: object, compiler: object, connection: object) -> str:
        return "%s::text::ltree"


@LtreeField.register_lookup
class Within(models.Lookup):
    """`path__within="root.p460000"`: this place or anything below it (ltree `<@`)."""

    lookup_name = "within"

    def get_rhs_op(self, connection: object, rhs: str) -> str:
        return f"<@ {rhs}"

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} {self.get_rhs_op(connection, right)}", [*left_params, *right_params]
