"""Make a paper, keep it, void it. Systems call `make_paper` from their own actions, in one transaction (R1, R4)."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from sheka.foundation.canonical import digest
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents.examination.examine import Examined
from sheka.office.documents.keeping import put
from sheka.office.documents.models import Document, Paper
from sheka.office.documents.papers.printing import Draft, printed
from sheka.office.documents.papers.templates import template_named
from sheka.office.documents.states import PAPER
from sheka.office.documents.subjects import subject_kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 20
"""One hundred bits: no code is ever guessed, and none tells anything."""
A4_POINTS = (595, 842)


@transaction.atomic
def make_paper(
    actor: Actor,
    *,
    template: str,
    subject: str,
    facts: dict[str, Any],
    number: str = "",
    finish: Callable[[bytes], bytes] | None = None,
) -> Document:
    """The paper about `subject` with these facts. It is made once: the same facts give the same document again.

    `number` is printed on it; without one the subject's own. `finish` gets the printed file and answers the one to be
    kept: a signature at its end.

    Other facts make a new paper and void the one before it, so that a subject has one valid paper of a template. The
    permission is that of the calling action. Raises Refused: PAPER_TEMPLATE, PAPER_FACTS, DOCUMENT_SUBJECT,
    PAPER_FONTS, PAPER_NOT_MADE, and what the store and the keys refuse.
    """
    wanted, number = template_named(template), number or subject_kind(subject)[1]
    wanted.check(facts)
    facts_digest = digest(facts)
    _alone(f"{actor.organisation} {template} {subject}")
    earlier = _valid(actor, template, subject)
    if earlier and earlier.facts_digest == facts_digest:
        record(actor, "paper.found", earlier.document.audit_subject, about=subject, template=template)
        return earlier.document
    place = organisation(actor.organisation)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    draft = Draft(wanted, number, place, facts, code, verify_address(), timezone.localdate(), demo=settings.NODE.demo)
    content = printed(draft)
    content = finish(content) if finish else content
    clean = Examined(content, "application/pdf", *A4_POINTS, _pages(content))
    if earlier:
        _void(actor, earlier, "replace", f"replaced by {code[:5]}…", actor.name)
    kept = put(
        actor,
        kind=wanted.kind,
        subject=subject,
        label=f"{wanted.kind.zh} {number}.pdf",
        clean=clean,
        given_digest=sm3(content).hex(),
    )
    Paper.objects.create(
        document=kept,
        organisation=place,
        template=template,
        subject=subject,
        number=number,
        code=code,
        facts_digest=facts_digest,
        shown=wanted.seen_by_strangers(facts),
        made_at=timezone.now(),
    )
    record(
        actor,
        "paper.made",
        kept.audit_subject,
        about=subject,
        template=template,
        facts_digest=facts_digest,
        digest=kept.digest,
    )
    return kept


@action(Permission.PAPER_VOID)
def void_paper(actor: Actor, *, document: int, reason: str) -> Paper:
    """From now on the verify page says that the paper is void.

    Raises Refused: PAPER_UNKNOWN, PAPER_REASON, STATE_FORBIDS.
    """
    rows = Paper.objects.select_for_update(of=("self",)).select_related("document")
    paper = rows.filter(document_id=document, organisation__path__within=actor.scope).first()
    if paper is None:
        raise Refused(Code.PAPER_UNKNOWN, paper=document)
    if len(reason.strip()) < 2:
        raise Refused(Code.PAPER_REASON)
    _void(actor, paper, "void", reason.strip()[:200], actor.name)
    return paper


def verify_address() -> str:
    """Where strangers verify a code: the node's public address, or its console's, and the path of the page."""
    node = settings.NODE
    return (node.documents.address or f"http://{node.web.host}:{node.web.port}") + reverse("console:documents_verify")


def _valid(actor: Actor, template: str, subject: str) -> Paper | None:
    rows = Paper.objects.select_for_update(of=("self",)).select_related("document")
    return rows.filter(
        organisation__path__within=actor.scope, template=template, subject=subject, state="valid"
    ).first()


def _alone(name: str) -> None:
    """Nobody else makes this paper before the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3440))", [name])


def _void(actor: Actor, paper: Paper, verb: str, reason: str, by: str) -> None:
    paper.state = PAPER.after(paper.state, verb)
    paper.void_reason, paper.voided_by, paper.voided_at = reason, by, timezone.now()
    paper.save(update_fields=["state", "void_reason", "voided_by", "voided_at"])
    record(actor, "paper.voided", paper.document.audit_subject, about=paper.subject, reason=reason)


def _pages(content: bytes) -> int:
    return len(PdfReader(io.BytesIO(content)).pages)
