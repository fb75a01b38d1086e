"""Open accounts (S6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account, Kind, Moving
from sheka.systems.accounts.queries import PERSONAL_SCHEMES, account_of

PREFIXES = {
    Kind.INSTITUTION: "I",
    Kind.FUND: "F",
    Kind.SUSPENSE: "S",
    Kind.BANK: "B",
    Kind.FEE: "E",
    Kind.TRANSIT: "T",
}
"""The first letter of the number of an account without a person."""


@action(Permission.ACCOUNT_OPEN)
def open_account(actor: Actor, *, person_id: int, scheme: str = "310") -> Account:
    """The personal account of a person in a scheme, at zero, never to be overdrawn (C2).

    Raises Refused: ACCOUNT_SCHEME_UNKNOWN, ACCOUNT_HOLDER_UNKNOWN, ACCOUNT_EXISTS, ORGANISATION_OUT_OF_REACH.
    """
    found = account_of(person_id, scheme)
    if found is not None:
        raise Refused(Code.ACCOUNT_EXISTS, scheme=scheme, account=found.number)
    return _open_personal(actor, [person_id], scheme)[0]


@action(Permission.ACCOUNT_OPEN)
def open_accounts(actor: Actor, *, person_ids: Sequence[int], scheme: str = "310") -> list[Account]:
    """The same for many people at once; who has an account of the scheme keeps it.

    Returns every account, old and new.
    """
    held = set(
        Account.objects.filter(kind=Kind.PERSONAL, scheme=scheme, person_id__in=person_ids).values_list(
            "person_id", flat=True
        )
    )
    _open_personal(actor, [person_id for person_id in dict.fromkeys(person_ids) if person_id not in held], scheme)
    return list(Account.objects.filter(kind=Kind.PERSONAL, scheme=scheme, person_id__in=person_ids).order_by("number"))


@action(Permission.ACCOUNT_OPEN)
def open_party_account(actor: Actor, *, kind: Kind, party: str, organisation_code: str | None = None) -> Account:
    """The account of an institution, fund, bank, fee or purpose, or the transit account to another city (`party`).

    Opening it again answers the one that is there.
    """
    if kind == Kind.PERSONAL:
        raise ValueError("a personal account belongs to a person")
    place = organisation(organisation_code or actor.organisation)
    actor.must_act_for(place)
    if kind == Kind.FORMER:
        raise ValueError("a former account was a personal one")
    account, made = Account.objects.get_or_create(
        organisation=place,
        kind=kind,
        party=party,
        defaults={"number": f"{PREFIXES[kind]}{place.code}{party}"[:29], "opened_at": timezone.now()},
    )
    record(actor, "account.opened" if made else "account.found", f"account:{account.number}", kind=kind.value)
    return account


def _open_personal(actor: Actor, person_ids: Sequence[int], scheme: str) -> list[Account]:
    if scheme not in PERSONAL_SCHEMES:
        raise Refused(Code.ACCOUNT_SCHEME_UNKNOWN, scheme=scheme)
    places = _organisations_of(person_ids)
    for code in set(places.values()):
        actor.must_act_for(code)
    on_its_way = Moving.objects.filter(
        side=Moving.OUT, state="sent", account__person_id__in=person_ids, account__scheme=scheme
    ).first()
    if on_its_way is not None:
        raise Refused(Code.ACCOUNT_MOVING, place=on_its_way.other)
    left = Account.objects.filter(kind=Kind.FORMER, person_id__in=person_ids, scheme=scheme)
    former = Counter(left.values_list("person_id", "organisation_id"))
    rows = [
        personal_account(person_id, places[person_id], scheme, former[person_id, places[person_id]])
        for person_id in person_ids
    ]
    try:
        with transaction.atomic():
            made = Account.objects.bulk_create(rows)
    except IntegrityError:
        raise Refused(Code.ACCOUNT_EXISTS, scheme=scheme, account="-") from None
    for account in made[:1] if len(made) == 1 else ():
        record(actor, "account.opened", f"account:{account.number}", kind="personal", scheme=scheme)
    if len(made) != 1:
        record(actor, "accounts.opened", f"accounts:{actor.organisation}", scheme=scheme, count=len(made))
    return made


def personal_account(person_id: int, place: str, scheme: str, former: int) -> Account:
    """A personal account at zero in the books of `place`, not yet saved. `former`: how many of the person's left these
    books before; they keep their numbers, and the new one has a letter behind it.
    """
    number = f"{scheme}{place}{person_id:012d}"
    return Account(
        number=f"{number}{chr(ord('A') + former - 1)}" if former else number,
        kind=Kind.PERSONAL,
        organisation_id=place,
        person_id=person_id,
        scheme=scheme,
        balance=0,
        never_negative=True,
        opened_at=timezone.now(),
    )


def _organisations_of(person_ids: Sequence[int]) -> dict[int, str]:
    """Which organisation keeps each person. Raises Refused(ACCOUNT_HOLDER_UNKNOWN)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, organisation_id FROM cards_person WHERE id = ANY(%s)", [list(person_ids)])
        found = dict(cursor.fetchall())
    for person_id in person_ids:
        if person_id not in found:
            raise Refused(Code.ACCOUNT_HOLDER_UNKNOWN, person=person_id)
    return found
