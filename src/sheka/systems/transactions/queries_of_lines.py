"""Reading what protects the line (S4): locked terminals, keys given out, whose an institution is."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.line_models import CardPin, TerminalFault, WorkingKey
from sheka.systems.transactions.models import Institution, Terminal


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
