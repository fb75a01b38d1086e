"""What a stranger learns who holds a paper: whether this node made it, what stands on it (masked), whether it is valid.

Asking is bounded for each address and window of time; a code of one hundred bits is not found by trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from sheka.foundation.crypto.sm3 import hmac_sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.models import Document, Paper, Question
from sheka.office.organisations.models import Organisation
from sheka.office.scope import whole_node

MINUTES, MOST = 10, 30
WINDOW = timedelta(minutes=MINUTES)
_LOOKS_LIKE = str.maketrans("OIL", "011")
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{20}")


@dataclass(frozen=True, slots=True)
class Verified:
    """A paper as a stranger sees it. `shown`: [zh label, en label, zh text, en text]."""

    title_zh: str
    title_en: str
    number: str
    organisation: Organisation
    made_at: datetime
    digest: str
    shown: list[list[str]]
    valid: bool
    voided_at: datetime | None


def verify_code(code: str, asker: str) -> Verified | None:
    """The paper with this code, or None. `asker` is the address that asks; it is not kept.

    Raises Refused(VERIFY_TOO_OFTEN).
    """
    count_question(asker)
    plain = plain_code(code)
    if plain is None:
        return None
    with whole_node("whoever holds a paper may ask about it, and the code alone says which it is"):
        paper = Paper.objects.select_related("document", "organisation").filter(code=plain).first()
        return None if paper is None else _seen(paper, paper.document)


def plain_code(text: str) -> str | None:
    """A code as it is kept, from what somebody typed or scanned; None when it cannot be one.

    >>> plain_code("7k3qx-9m2pd-hv4tz-w8rnO"), plain_code("7K3QX")
    ('7K3QX9M2PDHV4TZW8RN0', None)
    """
    plain = re.sub(r"[\s-]", "", text).upper().translate(_LOOKS_LIKE)
    return plain if _CODE.fullmatch(plain) else None


def _seen(paper: Paper, document: Document) -> Verified:
    return Verified(
        title_zh=document.title.zh,
        title_en=document.title.en,
        number=paper.number,
        organisation=paper.organisation,
        made_at=paper.made_at,
        digest=document.digest,
        shown=paper.shown,
        valid=paper.state == "valid",
        voided_at=paper.voided_at,
    )


def count_question(asker: str) -> None:
    """Count one question of this address. Raises Refused(VERIFY_TOO_OFTEN) above 30 in ten minutes."""
    now = timezone.now()
    window = datetime.fromtimestamp(now.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds(), UTC)
    key = hmac_sm3(settings.SECRET_KEY.encode(), f"verify {window:%Y%m%d%H%M} {asker}".encode()).hex()
    with transaction.atomic(), connection.cursor() as cursor:
        Question.objects.filter(window__lt=window - WINDOW).delete()
        cursor.execute(
            'INSERT INTO documents_question (asker, "window", times) VALUES (%s, %s, 1)'
            ' ON CONFLICT (asker, "window") DO UPDATE SET times = documents_question.times + 1 RETURNING times',
            [key, window],
        )
        times = cursor.fetchone()[0]
    if times > MOST:
        raise Refused(Code.VERIFY_TOO_OFTEN, minutes=MINUTES)
