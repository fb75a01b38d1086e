"""Keys into a PSAM and out of it again, by the organisation's encryption machine through a reader (K5, K8)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.equipment.card_reader.psam import KeyToLoad, PsamInformation, PsamSession
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.device_keys import psam_keys
from sheka.foundation.chip.devices.profile import Level
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.content import empty_carrier, fill_carrier
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.queries import keys_of
from sheka.systems.psams.labels import LEVELS as LEVELS_SAID
from sheka.systems.psams.ledger import carrier_held, keeper, lock_psam, move, named_keys
from sheka.systems.psams.models import Psam
from sheka.systems.psams.states import PSAM
from sheka.systems.transactions.psam_policy import psam_policy
from sheka.systems.transactions.queries_of_blocks import blocks_on_psam

LEVELS = {Kind.MINISTRY: Level.ROOT, Kind.PROVINCE: Level.PROVINCE, Kind.CITY: Level.CITY}


@action(Permission.PSAM_LOAD)
def load_psam(actor: Actor, *, serial: str, reader: Reader, algorithms: Sequence[Algorithm] = tuple(Algorithm)) -> Psam:
    """Write the active keys of the actor's organisation that the policy names into the PSAM in the reader.

    An organisation loads keys of its own level: the ministry's are the roots (three factors lead from them to a card,
    and its machine lets a root go only when it was generated movable), a province's take two, a city's one. Keys in the
    same version are replaced, so a load that was cut is repeated.
    Raises Refused: PSAM_NOT_HERE, PSAM_LEVEL, PSAM_CHIP_DIFFERS, PSAM_KEYS_WANTED, PSAM_BLOCKED, STATE_FORBIDS, what
    custody refuses (not in hand, lost, frozen), what the machine and the reader refuse.
    """
    place = organisation(actor.organisation)
    level = LEVELS.get(Kind(place.kind))
    if level is None:
        raise Refused(Code.PSAM_LEVEL, organisation=Term(place.name, place.name_en))
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "load")
    carrier = carrier_held(actor, serial)
    if blocks_on_psam(serial):
        raise Refused(Code.PSAM_BLOCKED, serial=serial)
    wanted = _wanted(place.code, level, algorithms)
    with PsamSession(reader) as session:
        must_be_in(session, serial)
        session.load_keys(psam_keys(machine_of(place.code)), wanted)
        held = session.information()
    content = _content(held)
    if carrier.content:
        empty_carrier(keeper(actor), serial)
    fill_carrier(keeper(actor), serial, content)
    psam.level, psam.keys = place.kind, content
    move(actor, psam, "load", count=len(content), level=[LEVELS_SAID[place.kind].zh, LEVELS_SAID[place.kind].en])
    record(actor, "psam.loaded", psam.subject, level=place.kind, keys=named_keys(content))
    return psam


@action(Permission.PSAM_LOAD)
def recycle_psam(actor: Actor, *, serial: str, reader: Reader) -> Psam:
    """Erase keys and terminal number; the PSAM is blank again and may be loaded anew.

    Raises Refused: PSAM_NOT_HERE, PSAM_CHIP_DIFFERS, PSAM_HAS_KEYS, STATE_FORBIDS, what custody, machine and reader
    refuse.
    """
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "recycle")
    carrier = carrier_held(actor, serial)
    with PsamSession(reader) as session:
        must_be_in(session, serial)
        session.erase(psam_keys(machine_of(actor.organisation)))
        if session.information().keys:
            raise Refused(Code.PSAM_HAS_KEYS, serial=serial)
    if carrier.content:
        empty_carrier(keeper(actor), serial)
    psam.level, psam.keys, psam.terminal, psam.institution = "", [], "", ""
    psam.region = psam.organisation.region
    move(actor, psam, "recycle")
    record(actor, "psam.recycled", psam.subject)
    return psam


def must_be_in(session: PsamSession, serial: str) -> None:
    """Raises Refused(PSAM_CHIP_DIFFERS)."""
    if session.serial != serial:
        raise Refused(Code.PSAM_CHIP_DIFFERS, serial=serial, got=session.serial)


def _wanted(owner: str, level: Level, algorithms: Sequence[Algorithm]) -> list[KeyToLoad]:
    """The newest active version of each key of the policy. Raises Refused(PSAM_KEYS_WANTED)."""
    names = psam_policy().keys
    rows = keys_of(owner).filter(state="active", name__in=names, algorithm__in=[int(one) for one in algorithms])
    newest = {(row.name, row.algorithm): row for row in rows.order_by("version")}
    missing = [
        f"{name} {algorithm.name}" for algorithm in algorithms for name in names if (name, int(algorithm)) not in newest
    ]
    if missing:
        raise Refused(Code.PSAM_KEYS_WANTED, reason=", ".join(missing))
    return [KeyToLoad(row.name, row.version, Algorithm(row.algorithm), level, row.reference) for row in newest.values()]


def _content(held: PsamInformation) -> list[dict[str, object]]:
    return [
        {"name": key.name, "version": key.version, "algorithm": key.algorithm.name, "check_value": key.check_value}
        for key in held.keys
    ]
