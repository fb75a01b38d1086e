"""Pages about keys: the register, one key, its tree as a picture, the catalogue. Check values, never keys (K1-K3)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sheka.faces.console.cards.sheet import Moment
from sheka.faces.console.doors import opens
from sheka.faces.console.keys.drawing import column, drawn, told
from sheka.faces.console.keys.lists import KEYS
from sheka.faces.console.lists import show_list
from sheka.faces.console.places import labels
from sheka.faces.console.words import language
from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import entries, entry_named
from sheka.systems.keys.labels import LEVELS, PURPOSES, VERBS
from sheka.systems.keys.life import CEREMONY
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import carried_by, key_labelled, keys_of
from sheka.systems.keys.tree import tree_of

FIRST = "IRK"
"""The key whose tree is shown when none was chosen: the one that every card proves itself with."""


@opens(Permission.KEY_VIEW)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Every key by name, level and algorithm, with its check value."""
    return show_list(request, KEYS, "console/keys/keys.html", may_ask=request.actor.may(Permission.KEY_PROPOSE))


@opens(Permission.KEY_VIEW)
@require_safe
def key(request: HttpRequest, label: str) -> HttpResponse:
    """One key: where it comes from, what it opens, its life, where its sub-keys went."""
    found = _key(request.actor, label)
    sent = carried_by(found)
    names = labels({row.recipient for row in sent} | {row.sender for row in sent} | {found.came_from})
    context = {
        "key": found,
        "level": LEVELS[found.owner_level].text(language()),
        "purpose": _purpose(found),
        "entry": next((entry for entry in entries() if entry.name == found.name), None),
        "above": names.get(found.came_from, found.came_from),
        "moments": _moments(found),
        "consignments": sent,
        "names": names,
        "has_tree": found.owner_level in ("ministry", "province", "city") and found.state != "planned",
    }
    return render(request, "console/keys/key.html", context)


@opens(Permission.KEY_VIEW)
@require_safe
def tree(request: HttpRequest, label: str) -> HttpResponse:
    """A key from its root to the cards, drawn; and the same as a table."""
    found = _key(request.actor, label)
    root = tree_of(request.actor, found)
    rows = [(node, LEVELS[node.level].text(language()), *told(node), "·" * column(node)) for node in root.walk()]
    others = keys_of(request.actor.organisation).filter(owner_level__in=("ministry", "province", "city"))
    context = {
        "key": found,
        "drawing": drawn(root),
        "rows": rows,
        "others": others.exclude(state="planned").order_by("name", "-algorithm", "version"),
    }
    return render(request, "console/keys/tree.html", context)


@opens(Permission.KEY_VIEW)
@require_safe
def first_tree(request: HttpRequest) -> HttpResponse:
    """The tree of the key that was chosen, or of the one that every organisation holds."""
    chosen = request.GET.get("key", "")
    if chosen:
        return redirect("console:keys_tree", _key(request.actor, chosen).label)
    held = keys_of(request.actor.organisation).exclude(state="planned")
    found = held.filter(name=FIRST).order_by("-algorithm", "-version").first() or held.order_by("name").first()
    if found is None:
        return render(request, "console/keys/no_tree.html")
    return redirect("console:keys_tree", found.label)


@opens(Permission.KEY_VIEW)
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every key that a card carries: whose it is, what for, which files it opens, and what of it is held here."""
    held: dict[str, list[Key]] = {}
    for row in keys_of(request.actor.organisation).order_by("-algorithm", "version"):
        held.setdefault(row.name, []).append(row)
    rows = [
        (
            entry,
            LEVELS[entry.owner_level].text(language()),
            PURPOSES[entry.purpose].text(language()),
            held.get(entry.name, []),
        )
        for entry in entries()
    ]
    national = sum(entry.national for entry in entries())
    context = {"rows": rows, "national": national, "local": len(rows) - national}
    return render(request, "console/keys/catalogue.html", context)


def _key(actor: Actor, label: str) -> Key:
    try:
        return key_labelled(actor.organisation, label)
    except Refused:
        raise Http404 from None


def _purpose(found: Key) -> str:
    try:
        return PURPOSES[entry_named(found.name).purpose].text(language())
    except Refused:
        return ""


def _moments(found: Key) -> list[Moment]:
    """The life line; the last step is where the key stands."""
    steps = list(found.moves.all())
    return [
        Moment(
            "now" if row is steps[-1] else "bad" if row.verb == "suspend" else "done",
            row.at,
            None,
            VERBS[row.verb].text(language()),
            row.about if ":" not in row.about else "",
            _who(row.by),
        )
        for row in steps
    ]


def _who(name: str) -> str:
    """A person by name; a ceremony by its number; another process of the node is the system."""
    if name.startswith(CEREMONY):
        return _("Key ceremony %(number)s") % {"number": name.removeprefix(CEREMONY)}
    return _("the system") if name.startswith("process:") else name
