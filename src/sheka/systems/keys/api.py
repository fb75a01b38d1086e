"""Keys over the API: references and check values, as they may be compared between levels. Never a key (K1, K2, K4)."""

from __future__ import annotations

from datetime import date

from ninja import Query
from pydantic import Field

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.api import Listed, Moment, PageQuery, Request, Router, Shape, page_of, reads
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import CatalogueEntry, entries
from sheka.systems.keys.models import Consignment, Key, Machine
from sheka.systems.keys.queries import consignments_of, keys_of, machines

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


class CatalogueShape(Shape):
    """A key of the card profile: the level that generates it, what it is for, the files that it opens."""

    name: str
    owner_level: str = Field(examples=["ministry"])
    national: bool
    application: str
    key_id: int
    purpose: str
    versions: list[int]
    reads: list[str]
    writes: list[str]


class CatalogueAnswer(Shape):
    """The whole catalogue, in the order of the profile."""

    items: list[CatalogueShape]


class SubKeyShape(Shape):
    """A sub-key of a consignment."""

    name: str
    check_value: str
    parent_check_value: str
    factor: str


class ConsignmentShape(Shape):
    """Sub-keys on their way to the level below, on a transmission key card."""

    number: str
    sender: str
    recipient: str
    carrier: str
    algorithm: str
    version: int
    state: str
    loaded_at: Moment
    keys: list[SubKeyShape]


class MachineShape(Shape):
    """An encryption machine of the registry. `production_until`: the last day of production work, none without a
    certificate in force.
    """

    organisation: str
    product: str
    model: str
    serial: str
    certificate: str
    level: int | None
    valid_from: date | None
    valid_until: date | None
    production_until: date | None
    state: str
    fingerprint: str


@reads(router, "/keys", scope=Permission.KEY_VIEW, answer=Listed[KeyShape])
def list_keys(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The keys that the client's organisation holds in its machine, or has planned."""
    rows = keys_of(request.actor.organisation)
    return page_of(request, rows, page, ("name", "algorithm", "version", "pk"), _key)


@reads(router, "/keys/catalogue", scope=Permission.KEY_VIEW, answer=CatalogueAnswer)
def list_catalogue(request: Request) -> dict[str, object]:
    """Every key that a card carries."""
    return {"items": [_entry(entry) for entry in entries()]}


@reads(router, "/keys/consignments", scope=Permission.KEY_VIEW, answer=Listed[ConsignmentShape])
def list_consignments(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The sub-keys that the client's organisation sent or was sent."""
    rows = consignments_of(request.actor.organisation)
    return page_of(request, rows, page, ("loaded_at", "pk"), _consignment)


@reads(router, "/machines", scope=Permission.MACHINE_VIEW, answer=Listed[MachineShape])
def list_machines(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """The machines of the client's organisation, of its superior and of those below it."""
    return page_of(request, machines(request.actor), page, ("organisation_id",), _machine)


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


def _entry(found: CatalogueEntry) -> CatalogueShape:
    return CatalogueShape(
        name=found.name,
        owner_level=found.owner_level,
        national=found.national,
        application=found.application,
        key_id=found.key_id,
        purpose=found.purpose,
        versions=list(found.versions),
        reads=list(found.reads),
        writes=list(found.writes),
    )


def _consignment(found: Consignment) -> ConsignmentShape:
    return ConsignmentShape(
        number=str(found.number),
        sender=found.sender,
        recipient=found.recipient,
        carrier=found.carrier,
        algorithm=Algorithm(found.algorithm).name,
        version=found.version,
        state=found.state,
        loaded_at=found.loaded_at,
        keys=[
            SubKeyShape(**{name: row[name] for name in ("name", "check_value", "parent_check_value", "factor")})
            for row in found.content
        ],
    )


def _machine(found: Machine) -> MachineShape:
    return MachineShape(
        organisation=found.organisation_id,
        product=found.product,
        model=found.model,
        serial=found.serial,
        certificate=found.certificate,
        level=found.level,
        valid_from=found.valid_from,
        valid_until=found.valid_until,
        production_until=found.production_until,
        state=found.state,
        fingerprint=found.fingerprint,
    )
