"""Putting a clean content into the store and its row into the database: used by what comes in and by what we make."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.crypto.sm3 import sm3
from sheka.office.documents import store
from sheka.office.documents.examination.examine import Examined
from sheka.office.documents.keys import new_key
from sheka.office.documents.kinds import Kind
from sheka.office.documents.models import Document
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor


def put(actor: Actor, *, kind: Kind, subject: str, label: str, clean: Examined, given_digest: str) -> Document:
    """Encrypt, write, and add the row, in the running transaction.

    When that is rolled back the file is left without a row, and the sweep takes it away. Raises Refused:
    DOCUMENT_NO_ROOM, DOCUMENT_UNWRITABLE, and what the keys refuse.
    """
    place = organisation(actor.organisation)
    name, salt, key = new_key(place)
    digest = sm3(clean.content).hex()
    today = timezone.localdate()
    return Document.objects.create(
        kind=kind.name,
        subject=subject,
        organisation=place,
        label=label,
        media_type=clean.media_type,
        size=len(clean.content),
        width=clean.width,
        height=clean.height,
        pages=clean.pages,
        digest=digest,
        given_digest=given_digest,
        stored=store.seal(clean.content, key, about(kind.name, subject, place.code, digest)),
        key=name,
        salt=salt,
        kept_by_id=actor.staff_id,
        kept_by=actor.name,
        kept_at=timezone.now(),
        retain_until=_years_later(today, kind.years),
    )


def about(kind: str, subject: str, organisation: str, digest: str) -> dict[str, str]:
    """What the tag of the encrypted file covers beside the content."""
    return {"kind": kind, "subject": subject, "organisation": organisation, "digest": digest}


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)
