"""What the page of a ceremony knows: the ledger of its steps, whose turn it is, what the reader can do now (K6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.telling import list_mark
from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.ceremonies.effects.shares import share_for
from sheka.systems.ceremonies.minutes import LABELS, evidence_lines, lasting_done
from sheka.systems.ceremonies.models import Act, Ceremony, Seat
from sheka.systems.ceremonies.queries import acts_of, seat_in, seats_in_turn
from sheka.systems.ceremonies.roster import part_title

STATES: dict[str, tuple[str | Promise, str]] = {
    "planned": (pgettext_lazy("ceremony", "Planned"), "wait"),
    "running": (pgettext_lazy("ceremony", "Running"), "info"),
    "done": (pgettext_lazy("ceremony", "Completed"), "good"),
    "aborted": (pgettext_lazy("ceremony", "Aborted"), "stop"),
    "expired": (pgettext_lazy("ceremony", "Lapsed"), "still"),
}


@dataclass(frozen=True, slots=True)
class ActShown:
    """One line under a step: who, when, what it left; of a refusal its sentence."""

    act: Act
    part: str
    refusal: str
    number: int
    lines: list[tuple[str, str]]
    void: bool


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of the ledger. `state`: done, now, next, or bad where it ended."""

    number: int
    title: str
    todo: str
    who: str
    state: str
    acts: list[ActShown]
    waits_for: list[str]


def step_lines(ceremony: Ceremony) -> list[StepShown]:
    """Every step with what was done in it and who is waited for."""
    acts, seats = acts_of(ceremony), list(ceremony.seats.all())
    waiting = [f"{part_title(seat.key).text(language())} {seat.name}" for seat in seats_in_turn(ceremony)]
    shown = []
    for place, step in enumerate(ceremony.script):
        now = place == ceremony.position and ceremony.live
        state = "now" if now else "done" if place < ceremony.position else "next"
        if place == ceremony.position and ceremony.state in ("aborted", "expired"):
            state = "bad"
        shown.append(
            StepShown(
                number=place + 1,
                title=Term(step["zh"], step["en"]).text(language()),
                todo=Term(step["zh_do"], step["en_do"]).text(language()),
                who=_who(step, seats),
                state=state,
                acts=[_act(ceremony, act) for act in acts if act.step == place],
                waits_for=waiting if now else [],
            )
        )
    return shown


def turn_of(actor: Actor, ceremony: Ceremony) -> dict[str, Any]:
    """What the reader can do now: the own seat, whether it is in turn, and what its form needs."""
    seat = seat_in(ceremony, actor.staff_id)
    turn = seats_in_turn(ceremony)
    mine = seat is not None and seat.pk in {one.pk for one in turn}
    step = ceremony.step_now
    context: dict[str, Any] = {
        "seat": seat,
        "part": part_title(seat.key).text(language()) if seat else "",
        "mine": mine,
        "acted": seat is not None and ceremony.live and seat.key in step["seats"] and not mine,
        "turn": [(part_title(one.key).text(language()), one.name) for one in turn],
        "step": step,
        "step_title": Term(step["zh"], step["en"]).text(language()),
        "step_todo": Term(step["zh_do"], step["en_do"]).text(language()),
    }
    if mine and seat is not None and step["does"] == "take":
        context["sealed"] = share_for(ceremony.facts, seat.key)
    return context


def ledger_of(ceremony: Ceremony) -> dict[str, Any]:
    """What everybody sees change while the ceremony goes on."""
    acts = acts_of(ceremony)
    return {
        "ceremony": ceremony,
        "steps": step_lines(ceremony),
        "values": ceremony.facts.get("values", []),
        "parts": _parts(ceremony),
        "seen": seen(ceremony),
        "lasting": [term.text(language()) for term in lasting_done(ceremony, acts)] if not ceremony.live else [],
        "over": ceremony.state in ("aborted", "expired"),
    }


def seen(ceremony: Ceremony) -> str:
    """Where the ceremony stands, for a page to notice that it moved on."""
    return f"{ceremony.state}-{ceremony.round}-{ceremony.position}"


def roster_of(ceremony: Ceremony) -> list[tuple[str, str]]:
    """Part and name of everybody."""
    return [(part_title(seat.key).text(language()), seat.name) for seat in ceremony.seats.all()]


def _who(step: dict[str, Any], seats: list[Seat]) -> str:
    names = [part_title(seat.key).text(language()) for seat in seats if seat.key in step["seats"]]
    if len(names) == len(seats):
        return str(pgettext_lazy("ceremony", "everybody"))
    told = list_mark().join(names)
    return (
        told if step["needed"] == len(names) else str(_("any %(n)s of: %(who)s") % {"n": step["needed"], "who": told})
    )


def _act(ceremony: Ceremony, act: Act) -> ActShown:
    refused = act.verdict == "refused"
    tongue = "zh" if language().startswith("zh") else "en"
    return ActShown(
        act=act,
        part=part_title(act.seat.key).text(language()),
        refusal=act.evidence[tongue] if refused else "",
        number=act.evidence["number"] if refused else 0,
        lines=[] if refused else _lines(ceremony, act),
        void=not refused and act.round != ceremony.round and "part" in act.evidence,
    )


def _lines(ceremony: Ceremony, act: Act) -> list[tuple[str, str]]:
    """What an act left, in the reader's language."""
    withheld = {LABELS["fingerprint"]} if _print_withheld(ceremony) else set()
    found = [(label, value) for label, value in evidence_lines(act) if label not in withheld]
    return [(label.text(language()), value.text(language())) for label, value in found]


def _print_withheld(ceremony: Ceremony) -> bool:
    """Whether people still have to copy the fingerprint from the machine's panel, and not from this page."""
    ahead = (step["does"] for step in ceremony.script[ceremony.position :])
    return ceremony.live and not ceremony.rehearsal and "confirm_fingerprint" in ahead


def _parts(ceremony: Ceremony) -> list[tuple[str, str, str]]:
    """Key, whose part, its check value: of every component that was entered and counts."""
    found = []
    for act in acts_of(ceremony):
        if act.verdict == "done" and "part" in act.evidence and act.round == ceremony.round:
            row = act.evidence
            found.append(
                (row["key"], f"{part_title(act.seat.key).text(language())} {act.seat.name}", row["check_value"])
            )
    return found
