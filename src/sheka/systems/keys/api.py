"""Keys over the API: references and check values, as they may be compared between levels. Never a key (K2)."""

from __future__ import annotations

from ninja import Query
from pydantic import Field

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import keys_of

router = Router()


class KeyShape(Shape):
    """A key by its name, its check value and where its root is."""

    name: str
    algorithm: str = Field(examples=["SM4"])
    version: int
    usage: str
    owner_level: str
    check_value: str
    parent_check_value: str
    origin: str
    state: str
    since: Moment


@reads(router, "/keys", scope=Permission.KEY_VIEW, answer=Listed[KeyShape])
def list_keys(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The keys that the client's organisation holds in its machine."""
    rows = keys_of(request.actor.organisation)
    return page_of(request, rows, page, ("name", "algorithm", "version", "pk"), _key)


def _key(found: Key) -> KeyShape:
    return KeyShape(
        name=found.name,
        algorithm=Algorithm(found.algorithm).name,
        version=found.version,
        usage=found.usage,
        owner_level=found.owner_level,
        check_value=found.check_value,
        parent_check_value=found.parent_check_value,
        origin=found.origin,
        state=found.state,
        since=found.since,
    )
