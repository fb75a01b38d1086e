"""Carriers over the API: where each is and its chain of custody, to be read, never moved (K5, K6)."""

from __future__ import annotations

from typing import Annotated

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.models import Carrier

router = Router()
InPath = Annotated[str, Path(pattern=r"^[0-9A-Z-]{1,32}$", examples=["53480200000000000001"], description="A serial.")]


class HeldKey(Shape):
    """A key on a carrier: its name and check value, never the key."""

    name: str
    version: int
    algorithm: str = Field(examples=["SM4"])
    check_value: str


class CarrierShape(Shape):
    """A carrier in the register of the client's organisation."""

    serial: str
    kind: str = Field(examples=["transmission_key_card"])
    batch: str
    state: str = Field(description="As in docs/systems/custody.md.", examples=["loaded"])
    at: str = Field(description="The organisation that has it now.", examples=["460000"])
    certified: bool = Field(description="Whether the ministry confirmed that it issued it.")
    content: list[HeldKey]
    since: Moment


class LinkShape(Shape):
    """One link of a chain of custody."""

    at: Moment
    event: str = Field(description="What happened, in English.")
    by: str


class CarrierWithChain(CarrierShape):
    """A carrier with its chain of custody, oldest first."""

    chain: list[LinkShape]


@reads(router, "/carriers", scope=Permission.CARRIER_VIEW, answer=Listed[CarrierShape])
def list_carriers(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The register of the client's organisation, in the order of the serials."""
    return page_of(request, queries.carriers(request.actor), page, ("serial", "pk"), _carrier)


@reads(
    router,
    "/carriers/{serial}",
    scope=Permission.CARRIER_VIEW,
    answer=CarrierWithChain,
    refusals=(Code.CARRIER_UNKNOWN,),
)
def get_carrier(request: Request, serial: InPath) -> CarrierWithChain:
    """One carrier with its chain of custody."""
    found = queries.carrier(request.actor, serial)
    chain = [
        LinkShape(at=link.at, event=link.title.en, by=link.who) for link in queries.chain_of(request.actor, serial)
    ]
    return CarrierWithChain(**_carrier(found).model_dump(), chain=chain)


def _carrier(row: Carrier) -> CarrierShape:
    return CarrierShape(
        serial=row.serial,
        kind=row.kind,
        batch=row.batch,
        state=row.state,
        at=row.at,
        certified=row.certified,
        content=[HeldKey(**{**key, "algorithm": str(key["algorithm"])}) for key in row.content],
        since=row.since,
    )
