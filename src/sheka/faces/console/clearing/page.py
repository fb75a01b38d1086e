"""What the page of a clearing day says beside its figures: its life, what comes next, what can be done and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sheka.faces.console.clearing.shown import DayShown
from sheka.faces.console.clearing.verbs import VERBS, why_not
from sheka.faces.console.events import word_of
from sheka.faces.console.telling import is_about_permission, list_mark, told, why
from sheka.faces.console.templatetags.look import by_whom, count
from sheka.foundation.calendar import add_working_days
from sheka.office.staff.actors import Actor
from sheka.systems.clearing.queries_of_pages import Step, history_of

NAMED = 3
"""So many institutions are named in a sentence; the others are counted."""
FILES = ("file_imported", "file_again")
AHEAD = ("seal", "reconcile", "net")
"""The verbs of a day's life, in their order."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the life line, as console/cards/life_line.html draws it."""

    kind: str
    at: datetime | None
    title: str
    detail: str = ""
    who: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb that can be done now; `first`: the one filled button."""

    name: str
    word: str | Promise
    address: str
    first: bool


@dataclass(frozen=True, slots=True)
class Barred:
    """Verbs that cannot be done now for one and the same reason."""

    words: str
    why: str


def number_of(settled: date) -> int:
    """How a day stands in an address."""
    return int(f"{settled:%Y%m%d}")


def verb_page(shown: DayShown, name: str) -> str:
    """Where a verb is asked for."""
    return reverse("console:clearing_verb", args=[shown.place.code, number_of(shown.settled), name])


def next_verb(shown: DayShown) -> str:
    """What is to be done next with a day, "" for nothing that is done here."""
    if shown.day is None:
        return "seal" if shown.window.closed_at or shown.settled <= timezone.localdate() else ""
    if shown.state == "sealed":
        return "import" if shown.lacking else "reconcile"
    if shown.state == "reconciled" and shown.day.differences:
        return "" if sum(shown.running.values()) else "reconcile"
    return "net" if shown.state == "reconciled" else ""


def offers_of(actor: Actor, shown: DayShown) -> tuple[list[Offer], list[Barred]]:
    """What this reader can do now, and what not by its reason; what the role lacks is not spoken of."""
    offers, barred = [], dict[str, list[str]]()
    first = next_verb(shown)
    for name, verb in VERBS.items():
        if shown.state == "netted" or (name == "seal" and shown.day is not None):
            continue  # it lies behind us
        refusal = why_not(actor, shown, name)
        if refusal is None:
            offers.append(Offer(name, verb.word, verb_page(shown, name), name == first))
        elif not is_about_permission(told(refusal).text):
            barred.setdefault(why(told(refusal).text), []).append(str(verb.word))
    offers.sort(key=lambda offer: not offer.first)
    return offers, [Barred(list_mark().join(words), reason) for reason, words in barred.items()]


def next_of(actor: Actor, shown: DayShown) -> str:
    """What comes next, in a sentence for this reader."""
    mine = [name for name, verb in VERBS.items() if actor.may(verb.needs) and actor.reaches(shown.place)]
    if shown.day is None:
        return _to_seal(shown, "seal" in mine)
    if shown.state == "sealed":
        return _to_reconcile(shown, "reconcile" in mine)
    if shown.state == "netted":
        return _("Nothing is left to do: who pays whom stands below.")
    if shown.day.differences:
        running = sum(shown.running.values())
        if running:
            text = ngettext(
                "%(n)s case of this day still runs at the exceptions desk. When it has ended, reconcile the day again.",
                "%(n)s cases of this day still run at the exceptions desk. When all have ended, reconcile the day"
                " again.",
                running,
            )
            return text % {"n": count(running)}
        return _("Every case of this day has ended: the day is to be reconciled once more, then it is flat.")
    if "net" in mine:
        return _("The day is flat: net it.")
    return _("The day is flat: a settlement officer nets it.")


def moments_of(shown: DayShown) -> list[Moment]:
    """The life line: what was done, where the day stands, what comes and by when."""
    found = [Moment("done", shown.window.opened_at, _("Window opened"))]
    steps = history_of(shown.place.code, shown.settled)
    for files, group in groupby(steps, key=lambda step: step.verb in FILES):
        together = list(group)
        found += [_files(together)] if files else map(_moment, together)
    done = {"open": 0, "closed": 0, "sealed": 1, "reconciled": 2, "netted": 3}[shown.state]
    if shown.day is not None and shown.day.differences:
        done = 1  # it is to be reconciled again
    return [*found, *_ahead(shown, done)]


def _ahead(shown: DayShown, done: int) -> Iterator[Moment]:
    due = {
        "seal": shown.settled,
        "reconcile": add_working_days(shown.settled, 1).day,
        "net": add_working_days(shown.settled, 2).day,
    }
    for number, name in enumerate(AHEAD[done:]):
        yield Moment("next" if number else "now", None, str(VERBS[name].word), due=due[name])


def _moment(step: Step) -> Moment:
    facts, who = step.facts, by_whom(step.who)
    if step.verb == "sealed":
        number = int(facts["count"])
        detail = ngettext("%(n)s transaction", "%(n)s transactions", number) % {"n": count(number)}
        return Moment("done", step.at, _("Sealed"), detail, who)
    if step.verb == "reconciled":
        number = sum(facts["differences"].values())
        if facts["flat"]:
            return Moment("done", step.at, _("Reconciled: flat"), "", who)
        text = ngettext("Reconciled: %(n)s difference", "Reconciled: %(n)s differences", number)
        return Moment("bad", step.at, text % {"n": count(number)}, "", who)
    if step.verb != "netted":
        return Moment("done", step.at, str(word_of(f"clearing.{step.verb}")), "", who)
    number = int(facts["institutions"])
    detail = ngettext("%(n)s institution", "%(n)s institutions", number) % {"n": count(number)}
    return Moment("done", step.at, _("Netted"), detail, who)


def _files(steps: list[Step]) -> Moment:
    """Files that came one after another are one point: the last one's time, whose they are, who brought them."""
    whose = list(dict.fromkeys(str(step.facts["acquirer"]) for step in steps))
    people = list(dict.fromkeys(by_whom(step.who) for step in steps))
    text = ngettext("%(n)s file imported", "%(n)s files imported", len(whose)) % {"n": count(len(whose))}
    return Moment("done", steps[-1].at, text, _some(whose), _some(people))


def _to_seal(shown: DayShown, mine: bool) -> str:
    if not mine:
        return _("The clearing officer seals the day when it is over. The figures below grow until then.")
    today = timezone.localdate()
    if shown.window.closed_at:
        return _("Another organisation of this node has sealed this day: seal it, so that it is counted here too.")
    if shown.settled > today:
        return _("This day has not begun: what is booked today stands in it already. Seal it when it is over.")
    if shown.settled == today:
        return _("Seal the day when it is over. What is booked afterwards stands in the next day.")
    return _("This day is over: seal it.")


def _to_reconcile(shown: DayShown, mine: bool) -> str:
    if shown.lacking:
        given = {"whose": _some([side.code for side in shown.lacking])}
        if mine:
            return _("Import the files that are missing: %(whose)s.") % given
        return _("The clearing officer imports the files that are missing: %(whose)s.") % given
    if mine:
        return _("Every file that is needed is here: reconcile the day.")
    return _("Every file that is needed is here: the clearing officer reconciles the day.")


def _some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    told_of = list_mark().join(names[:NAMED])
    more = len(names) - NAMED
    return told_of if more <= 0 else _("%(names)s and %(n)s more") % {"names": told_of, "n": count(more)}


def is_late(settled: date) -> bool:
    """Whether the window should have been sealed by now."""
    return settled < timezone.localdate() - timedelta(days=1)
