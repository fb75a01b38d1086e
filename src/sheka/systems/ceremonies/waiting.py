"""Whose turn it is, as work before exactly that person; and who hears what became of a ceremony (K6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.work.items import close_work, open_work
from sheka.office.work.notices import notify
from sheka.systems.ceremonies.models import Ceremony, Seat
from sheka.systems.ceremonies.queries import seats_in_turn
from sheka.systems.ceremonies.roster import part_title, right_of
from sheka.systems.ceremonies.states import STATE_WORDS

ACT = "ceremony.act"
CALLED, ENDED = "ceremony.called", "ceremony.ended"
MOST_CUSTODIANS = 7
SEATS = ("leader", *(f"custodian-{place}" for place in range(1, MOST_CUSTODIANS + 1)), "witness")


def kind_of(seat: str) -> str:
    """The kind of work of a seat: several people can have work about one ceremony at a time."""
    return f"{ACT}.{seat}"


def keep_work(actor: Actor, ceremony: Ceremony) -> None:
    """Work for everybody whose turn it is, and for nobody else. Called before the action's audit row."""
    turn = {seat.key for seat in seats_in_turn(ceremony)}
    for seat in ceremony.seats.all():
        if seat.key in turn:
            _open(actor, ceremony, seat)
        else:
            close_own(actor, ceremony, seat)


def close_own(actor: Actor, ceremony: Ceremony, seat: Seat) -> None:
    """One has acted; the others of the same step still wait."""
    close_work(actor, kind_of(seat.key), ceremony.key, organisation=ceremony.organisation_id)


def call(ceremony: Ceremony, but: int | None) -> None:
    """Everybody of the roster hears that the ceremony is planned, and as what they are called."""
    title, mark = ceremony.title, _mark(ceremony)
    for seat in ceremony.seats.all():
        part = part_title(seat.key)
        if seat.staff_id != but:
            zh = f"{title.zh}{mark.zh}（{ceremony.number}）：请您担任{part.zh}"
            en = f"{title.en}{mark.en} ({ceremony.number}): you are called as {part.en}"
            notify(seat.staff_id, CALLED, ceremony.key, zh=zh, en=en)


def tell_end(actor: Actor, ceremony: Ceremony) -> None:
    """Everybody of the roster hears how it ended, but for whoever ended it."""
    title, word, mark = ceremony.title, STATE_WORDS[ceremony.state], _mark(ceremony)
    reason = Term(f"：{ceremony.end_reason}", f": {ceremony.end_reason}") if ceremony.end_reason else Term("", "")
    for seat in ceremony.seats.all():
        if seat.staff_id != actor.staff_id:
            zh = f"{title.zh}{mark.zh}（{ceremony.number}）{word.zh}{reason.zh}"
            en = f"{title.en}{mark.en} ({ceremony.number}) is {word.en}{reason.en}"
            notify(seat.staff_id, ENDED, ceremony.key, zh=zh, en=en)


def _open(actor: Actor, ceremony: Ceremony, seat: Seat) -> None:
    step, mark = ceremony.step_now, _mark(ceremony)
    close_own(actor, ceremony, seat)
    open_work(
        actor,
        kind=kind_of(seat.key),
        subject=ceremony.key,
        organisation=ceremony.organisation_id,
        permission=right_of(seat.key),
        title_zh=f"{ceremony.title.zh}{mark.zh}：{step['zh']}",
        title_en=f"{ceremony.title.en}{mark.en}: {step['en']}",
        due_on=timezone.localtime(ceremony.due_at).date(),
        assignee_id=seat.staff_id,
    )


def _mark(ceremony: Ceremony) -> Term:
    return Term("【演练】", " (rehearsal)") if ceremony.rehearsal else Term("", "")
