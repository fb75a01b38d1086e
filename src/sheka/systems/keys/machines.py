"""The encryption machines of this node, behind their door: production work needs a certificate in force (K2, K4)."""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.requests import Request
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.seats import place_term
from sheka.systems.keys.models import Machine

T = TypeVar("T")
CALLER = "systems"
LOOKING = ("DESCRIBE", "LIST_KEYS", "KEY", "PUBLIC_KEY", "PEERS", "VERIFY_LOG", "LOG")
FREE = frozenset((*LOOKING, "ENTRY_KEY", "UNSEAL", "SEAL", "DESTROY", "CHECK_VALUES"))
"""Verbs that are no production work: looking, unsealing, ending a key, comparing."""
STANDING = ("organisation_id", "state", "certificate", "production_until", "stopped")
"""What the door asks the registry: one small row before every verb."""
_lines: dict[str, ProductionMachine] = {}
_lock = Lock()


class ProductionMachine(EncryptionMachine):
    """The client of an organisation's machine. Before every verb of production its row in the registry is asked, so
    that a certificate that ends, and a key that an incident suspends, stop the very next call.
    """

    def __init__(self, organisation_code: str, address: str, secret: bytes) -> None:
        super().__init__(address, CALLER, secret)
        self.organisation = organisation_code

    def _do(self, request: Request[T]) -> T:
        if request.verb.name not in FREE:
            must_produce(self.organisation, request.arguments)
        return super()._do(request)


def must_produce(organisation_code: str, arguments: tuple[Any, ...] = ()) -> None:
    """The machine may work today, and none of the keys named in `arguments` is suspended.

    Raises Refused: MACHINE_NOT_REGISTERED, MACHINE_WITHOUT_CERTIFICATE, MACHINE_CERTIFICATE_EXPIRED, MACHINE_RETIRED,
    KEY_SUSPENDED. The demo world works without a certificate, and every page and paper of it says so.
    """
    row = next(iter(Machine.objects.filter(organisation_id=organisation_code).only(*STANDING)), None)
    if row is None:
        if not settings.NODE.demo:
            raise Refused(Code.MACHINE_NOT_REGISTERED, organisation=place_term(organisation_code))
        return
    if row.state == "retired":
        raise Refused(Code.MACHINE_RETIRED, organisation=place_term(organisation_code))
    if not settings.NODE.demo:
        _must_be_certified(row)
    for stopped in row.stopped:
        if stopped["reference"] in _references(arguments):
            facts = {name: stopped[name] for name in ("name", "version", "incident")}
            raise Refused(Code.KEY_SUSPENDED, **facts)


def _must_be_certified(row: Machine) -> None:
    place = place_term(row.organisation_id)
    if row.production_until is None:
        raise Refused(Code.MACHINE_WITHOUT_CERTIFICATE, organisation=place)
    if row.production_until < timezone.localdate():
        until = row.production_until.isoformat()
        raise Refused(Code.MACHINE_CERTIFICATE_EXPIRED, organisation=place, certificate=row.certificate, until=until)


def _references(arguments: tuple[Any, ...]) -> set[str]:
    found = {one for one in arguments if isinstance(one, str)}
    for one in arguments:
        if isinstance(one, list | tuple):
            found |= {each for each in one if isinstance(each, str)}
    return found


def machine_of(organisation_code: str) -> EncryptionMachine:
    """The client of an organisation's machine, one for the process. Raises Refused(NODE_MACHINE_UNKNOWN)."""
    with _lock:
        if organisation_code not in _lines:
            node = settings.NODE
            name = node.machine(organisation_code).name
            address, secret = node.machine_address(name), node.machine_secret(name, CALLER)
            _lines[organisation_code] = ProductionMachine(organisation_code, address, secret)
        return _lines[organisation_code]


def close_machines() -> None:
    """Close every line; the next verb opens a new one, where the settings then say."""
    with _lock:
        while _lines:
            _lines.popitem()[1].close()
