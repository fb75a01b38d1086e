"""Approvals: nobody consents to the own proposal, nobody twice, nobody to what they did not see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal


@pytest.fixture
def proposal(appoint, tree):
    """Proposed by `author`, to be consented to by two others."""
    author = appoint("author", "460100", "key_officer")
    payload = {"names": ["IRK"], "version": 1}
    return author, propose(
        author, kind="keys.generate", subject="keys", organisation=tree["460100"], payload=payload, needed=2
    )


def refused(code, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        decide(*args, **kwargs)
    assert caught.value.code is code


@pytest.mark.req("K6")
def test_two_others_consent_and_it_is_carried_out_once(proposal, appoint):
    author, made = proposal
    for login in ("one", "two"):
        decide(appoint(login, "460100"), proposal_id=made.pk, digest=made.digest, verdict="approve")
    assert carry_out(author, proposal_id=made.pk, kind="keys.generate") == {"names": ["IRK"], "version": 1}
    with pytest.raises(Refused) as twice:
        carry_out(author, proposal_id=made.pk, kind="keys.generate")
    assert twice.value.code is Code.STATE_FORBIDS


def test_one_consent_of_two_is_not_enough(proposal, appoint):
    author, made = proposal
    decide(appoint("one", "460100"), proposal_id=made.pk, digest=made.digest, verdict="approve")
    with pytest.raises(Refused) as early:
        carry_out(author, proposal_id=made.pk, kind="keys.generate")
    assert early.value.code is Code.STATE_FORBIDS


@pytest.mark.req("K6")
def test_the_author_and_the_authors_second_account_are_refused(proposal, appoint):
    author, made = proposal
    second = appoint("author-2", "460100", person="author")
    for actor in (author, second):
        refused(Code.APPROVAL_OWN, actor, proposal_id=made.pk, digest=made.digest, verdict="approve")


def test_a_second_decision_of_one_person_is_refused_with_whichever_account(proposal, appoint):
    _, made = proposal
    decide(appoint("one", "460100"), proposal_id=made.pk, digest=made.digest, verdict="approve")
    again = appoint("one-2", "460100", person="one")
    refused(Code.APPROVAL_TWICE, again, proposal_id=made.pk, digest=made.digest, verdict="approve")


def test_what_was_edited_or_is_too_old_or_belongs_elsewhere_is_refused(proposal, appoint):
    _, made = proposal
    here, there = appoint("one", "460100"), appoint("neighbour", "460200")
    refused(Code.APPROVAL_STALE, here, proposal_id=made.pk, digest="0" * 64, verdict="approve")
    refused(Code.ORGANISATION_OUT_OF_REACH, there, proposal_id=made.pk, digest=made.digest, verdict="approve")
    Proposal.objects.filter(pk=made.pk).update(payload={"names": ["DPK"], "version": 1})
    refused(Code.APPROVAL_STALE, here, proposal_id=made.pk, digest=made.digest, verdict="approve")
    Proposal.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(Code.APPROVAL_EXPIRED, here, proposal_id=made.pk, digest=made.digest, verdict="approve")


def test_a_rejection_needs_a_reason_and_ends_it(proposal, appoint):
    _, made = proposal
    one, two = appoint("one", "460100"), appoint("two", "460100")
    refused(Code.APPROVAL_REASON, one, proposal_id=made.pk, digest=made.digest, verdict="reject", reason=" ")
    assert decide(one, proposal_id=made.pk, digest=made.digest, verdict="reject", reason="no plan").state == "rejected"
    refused(Code.STATE_FORBIDS, two, proposal_id=made.pk, digest=made.digest, verdict="approve")
