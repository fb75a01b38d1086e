"""Reading the registry of institutions (S4): lists, one institution, terminals with their last sign of life."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import Certificate, Onboarding, PartnerRequest, TestCard, Trial
from sheka.systems.transactions.actions.partner_requests import RELATED, institution_of
from sheka.systems.transactions.batch_models import PartnerBatch
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.onboarding import versions

SOON = timedelta(days=30)
"""Before the end of a certificate: from then on somebody is to act (as on the page of the health)."""
SEEN_DAYS = 30
"""How many business days back a terminal's last sign of life is looked for."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A terminal on the map. Degrees; `seen` its last transaction of the last days, None for none."""

    terminal: Terminal
    seen: datetime | None

    @property
    def latitude(self) -> float:
        return float(self.terminal.latitude or 0)

    @property
    def longitude(self) -> float:
        return float(self.terminal.longitude or 0)


def registry_of(actor: Actor) -> QuerySet[Institution]:
    """The institutions of the actor's organisation and those below it. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.ACQUIRING_VIEW)
    rows = Institution.objects.filter(test_of=None, organisation__in=organisations_below(actor))
    return rows.select_related("organisation").order_by("code")


def institution_named(actor: Actor, code: str) -> Institution:
    """Raises Refused: INSTITUTION_UNKNOWN, PERMISSION_MISSING."""
    found = registry_of(actor).filter(code=code).first()
    if found is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    return found


def side_for_tests(institution: Institution) -> Institution | None:
    return Institution.objects.filter(test_of=institution).first()


def terminals_registered(actor: Actor, *, testing: bool = False) -> QuerySet[Terminal]:
    """The terminals of institutions in reach, in service or (`testing`) of test sides."""
    actor.require(Permission.ACQUIRING_VIEW)
    rows = Terminal.objects.filter(
        institution__organisation__in=organisations_below(actor), institution__test_of__isnull=not testing
    )
    return rows.select_related("institution__test_of", "module").order_by("number")


def terminal_named(actor: Actor, number: str) -> Terminal:
    """Raises Refused: TERMINAL_UNKNOWN, PERMISSION_MISSING."""
    for testing in (False, True):
        found = terminals_registered(actor, testing=testing).filter(number=number).first()
        if found is not None:
            return found
    raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)


def last_seen(terminals: Iterable[Terminal]) -> dict[int, datetime]:
    """Terminal id → when its last transaction was booked, within the last days."""
    ids = [terminal.pk for terminal in terminals]
    if not ids:
        return {}
    since = timezone.localdate() - timedelta(days=SEEN_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, max(x.booked_at) FROM unnest(%s::integer[]) AS t (id) JOIN transactions_transaction x"
            " ON x.terminal_id = t.id AND x.business_date >= %s GROUP BY t.id",
            [ids, since],
        )
        return dict(cursor.fetchall())


def spots_of(actor: Actor, institution: str = "") -> list[Spot]:
    """Every terminal in reach that has a place on the map, with its last sign of life."""
    rows = terminals_registered(actor).exclude(latitude=None).exclude(longitude=None)
    if institution:
        rows = rows.filter(institution__code=institution)
    found = list(rows)
    seen = last_seen(found)
    return [Spot(terminal, seen.get(terminal.pk)) for terminal in found]


def certificates_of(institution: Institution) -> QuerySet[Certificate]:
    return Certificate.objects.filter(institution=institution)


def certificates_in_reach(actor: Actor) -> QuerySet[Certificate]:
    """Certificates of every institution in reach. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.ACQUIRING_VIEW)
    rows = Certificate.objects.filter(institution__organisation__in=organisations_below(actor))
    return rows.select_related("institution")


def certificates_ending(actor: Actor) -> QuerySet[Certificate]:
    """Those in force that end within SOON_DAYS and have no later one beside them."""
    now = timezone.now()
    rows = certificates_in_reach(actor).filter(ended_at=None, valid_to__gt=now)
    later = rows.filter(institution=OuterRef("institution"), valid_to__gt=now + SOON)
    return rows.filter(~Exists(later), valid_to__lte=now + SOON)


def certificate_named(actor: Actor, code: str, fingerprint: str) -> Certificate:
    """Raises Refused: CERTIFICATE_NOT_HERE, PERMISSION_MISSING."""
    found = certificates_in_reach(actor).filter(institution__code=code, fingerprint=fingerprint.lower()).first()
    if found is None:
        raise Refused(Code.CERTIFICATE_NOT_HERE, fingerprint=fingerprint[:64])
    return found


def onboardings_of(institution: Institution) -> QuerySet[Onboarding]:
    """Its passages through the tests, the latest first."""
    return Onboarding.objects.filter(institution=institution)


def trials_of(institution: Institution, *, since: datetime | None = None) -> QuerySet[Trial]:
    """What its test terminals said, the latest first."""
    rows = Trial.objects.filter(terminal__institution__test_of=institution).select_related("terminal")
    rows = rows.order_by("-at", "-id")
    return rows.filter(at__gte=since) if since else rows


def test_card_numbered(actor: Actor, number: int) -> TestCard:
    """Raises Refused: TEST_CARD_UNKNOWN, PERMISSION_MISSING."""
    found = cards_for_tests(actor).filter(pk=number).first()
    if found is None:
        raise Refused(Code.TEST_CARD_UNKNOWN)
    return found


test_card_numbered.__test__ = False  # type: ignore[attr-defined]


def cards_for_tests(actor: Actor) -> QuerySet[TestCard]:
    """For who takes institutions in, and for who pays their test money."""
    actor.require(Permission.ACCOUNT_DEPOSIT if actor.may(Permission.ACCOUNT_DEPOSIT) else Permission.ACQUIRING_VIEW)
    return TestCard.objects.filter(organisation__in=organisations_below(actor), ended_at=None)


def must_be_tested_again(institution: Institution) -> bool:
    """Whether the version that it was tested with is no longer in force, or never was named."""
    if institution.state not in ("active", "suspended"):
        return False
    today = timezone.localdate()
    return not any(one.protocol == institution.protocol and one.in_force(today) for one in versions())


def partner_request(actor: Actor, key: str) -> PartnerRequest:
    """A request of the partner itself. Raises Refused: PARTNER_REQUEST_UNKNOWN, PARTNER_WITHOUT_INSTITUTION."""
    found = known_request(actor, key)
    if found is None:
        raise Refused(Code.PARTNER_REQUEST_UNKNOWN, key=key)
    return found


def partner_batch(actor: Actor, key: str, *, upload: bool) -> PartnerBatch:
    """A batch of the partner itself. Raises Refused: PARTNER_REQUEST_UNKNOWN, PARTNER_WITHOUT_INSTITUTION."""
    rows = PartnerBatch.objects.filter(institution=institution_of(actor), key=key, upload=upload)
    found = rows.select_related("terminal__institution", "institution").first()
    if found is None:
        raise Refused(Code.PARTNER_REQUEST_UNKNOWN, key=key)
    return found


def known_request(actor: Actor, key: str) -> PartnerRequest | None:
    """The same, None when it was never kept. Raises Refused(PARTNER_WITHOUT_INSTITUTION)."""
    rows = PartnerRequest.objects.filter(institution=institution_of(actor), key=key)
    return rows.select_related(*RELATED).first()
