"""Reading what protects the line (S4): locked terminals, keys given out, whose an institution is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.iso8583.prefix import readable_prefix
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_line import ALGORITHMS
from sheka.systems.transactions.line_models import CardPin, TerminalFault, WorkingKey
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.watch_models import SwitchMessage

LOOKED_BACK = timedelta(days=2)
MOST_SPOKEN = 200
SIGN_ON, SIGN_OFF, KEY_EXCHANGE, ECHO = "001", "002", "161", "301"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A network management message (0800): when, from which terminal over which line, field 70, the refusal number of
    its answer (None: there was none).
    """

    at: datetime
    terminal: str
    line: str
    code: str
    refusal: int | None


def network_messages_of(actor: Actor, institution: Institution) -> list[Spoken]:
    """What the institution's terminals, those for tests too, said of their lines in the last days, the latest first,
    from the switch's journal. Whether a line is still open the switch alone knows. Raises Refused(PERMISSION_MISSING).
    """
    actor.require(Permission.ACQUIRING_VIEW)
    terminals = Terminal.objects.filter(institution=institution) | Terminal.objects.filter(
        institution__test_of=institution
    )
    since = timezone.localdate() - LOOKED_BACK
    rows = SwitchMessage.objects.filter(
        day__gte=since, terminal__in=list(terminals.values_list("number", flat=True)), type="0800"
    )
    return [
        Spoken(
            row.came_at, row.terminal, row.line, str(readable_prefix(bytes(row.request))[1].get(70, "")), row.refusal
        )
        for row in rows.order_by("-came_at")[:MOST_SPOKEN]
    ]


def keys_in_force(actor: Actor, institution: Institution) -> list[WorkingKey]:
    """The newest working key of each terminal (None: of all) and purpose. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.ACQUIRING_VIEW)
    rows = WorkingKey.objects.filter(institution=institution).select_related("terminal", "institution")
    return list(rows.order_by("terminal_id", "purpose", "-id").distinct("terminal_id", "purpose"))


def transport_keys_for(actor: Actor, institution: Institution) -> list[KeyInfo]:
    """The keys in the bureau's machine that may carry this institution's working keys; never a key's value.

    Raises Refused: PERMISSION_MISSING, and what the machine refuses.
    """
    actor.require(Permission.LINE_MANAGE)
    algorithm, owner = ALGORITHMS[institution.profile], institution.organisation_id
    return [
        key
        for key in machine_of(owner).list_keys()
        if key.usage is Usage.WRAP
        and key.algorithm is algorithm
        and key.owner == owner
        and not key.diversified
        and not key.destroyed
    ]


@dataclass(frozen=True, slots=True)
class TransportKeyPlan:
    """What an institution's next transport key is made as; its owner is the bureau."""

    name: str
    algorithm: Algorithm
    version: int
    usage: Usage = Usage.WRAP


def transport_key_plan(actor: Actor, *, code: str) -> TransportKeyPlan:
    """The next version of an institution's transport key, of its algorithm. Raises Refused: INSTITUTION_UNKNOWN."""
    actor.require(Permission.LINE_MANAGE)
    row = Institution.objects.filter(code=code, test_of=None).first()
    if row is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    algorithm = ALGORITHMS[row.profile]
    name = f"TRANSPORT-{code}.{algorithm.name}"
    used = [key.version for key in machine_of(row.organisation_id).list_keys() if key.name == name]
    return TransportKeyPlan(name, algorithm, max(used, default=0) + 1)


def terminals_locked(actor: Actor) -> QuerySet[Terminal]:
    """Terminals in reach that the switch locked. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.ACQUIRING_VIEW)
    return Terminal.objects.filter(state="locked", institution__organisation__in=organisations_below(actor))


def faults_of(actor: Actor, number: str) -> list[TerminalFault]:
    """What was wrong of a terminal's messages, by kind. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.ACQUIRING_VIEW)
    return list(TerminalFault.objects.filter(terminal__number=number).order_by("kind"))


def keys_given_to(actor: Actor, code: str) -> QuerySet[WorkingKey]:
    """The working keys that an institution was given over the line, newest first: check values, never keys."""
    actor.require(Permission.ACQUIRING_VIEW)
    return WorkingKey.objects.filter(institution__code=code).select_related("terminal")


def pin_of_card(actor: Actor, card_number: str) -> CardPin | None:
    """Whether a card has a PIN for checks over the line, how many wrong ones came, since when it is blocked."""
    actor.require(Permission.CARD_VIEW)
    return CardPin.objects.filter(card_number=card_number).first()


def organisation_of_institution(code: str) -> str:
    """The organisation that an institution belongs to. Raises Refused(INSTITUTION_UNKNOWN)."""
    found = Institution.objects.filter(code=code).values_list("organisation_id", flat=True).first()
    if found is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    return found


def organisation_of_terminal(number: str) -> str:
    """The organisation that a terminal belongs to. Raises Refused(TERMINAL_UNKNOWN)."""
    found = Terminal.objects.filter(number=number).values_list("institution__organisation_id", flat=True).first()
    if found is None:
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    return found
