"""Presence proved for one decision: what an intruder at an unlocked screen, or a replayed proof, would gain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import (
    ask_confirmation,
    confirm_with_code,
    confirm_with_key,
    key_options,
    use_confirmation,
)
from sheka.office.staff.rules import rules

THIS, OTHER = digest({"decide": 1}), digest({"decide": 2})
PASSWORD = "a long pass phrase"


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value.code


def test_password_and_code_confirm_one_decision_once(phone):
    actor, code = phone("decider")
    given = confirm_with_code(actor, THIS, PASSWORD, code())
    assert use_confirmation(actor, THIS).pk == given.pk
    assert refusal(use_confirmation, actor, THIS) is Code.CONFIRMATION_NEEDED
    row = Event.objects.get(event="staff.presence_confirmed")
    assert THIS in row.facts and "code" in row.facts


def test_it_counts_for_nobody_and_nothing_else(phone, appoint):
    actor, code = phone("decider")
    confirm_with_code(actor, THIS, PASSWORD, code())
    assert refusal(use_confirmation, actor, OTHER) is Code.CONFIRMATION_NEEDED
    assert refusal(use_confirmation, appoint("colleague", "460100"), THIS) is Code.CONFIRMATION_NEEDED
    elsewhere = replace(actor, session="00000000-0000-0000-0000-000000000000")
    assert refusal(use_confirmation, elsewhere, THIS) is Code.CONFIRMATION_NEEDED
    machine = Actor.process("job", "460100")
    assert refusal(use_confirmation, machine, THIS) is Code.CONFIRMATION_NEEDED
    assert refusal(confirm_with_code, machine, THIS, PASSWORD, "000000") is Code.CONFIRMATION_NEEDED
    assert use_confirmation(actor, THIS)


def test_it_ends_after_its_minutes(phone):
    actor, code = phone("decider")
    confirm_with_code(actor, THIS, PASSWORD, code())
    with time_machine.travel(timezone.now() + rules().confirmation + timedelta(seconds=1)):
        assert refusal(use_confirmation, actor, THIS) is Code.CONFIRMATION_NEEDED


def test_wrong_passwords_and_codes_confirm_nothing_and_lock(phone):
    actor, code = phone("decider")
    assert refusal(confirm_with_code, actor, THIS, "wrong", code()) is Code.CONFIRMATION_FAILED
    for wrong in ("", "12345", "abcdef", "０００００００"):
        assert refusal(confirm_with_code, actor, THIS, PASSWORD, wrong) in (
            Code.CONFIRMATION_FAILED,
            Code.SIGN_IN_LOCKED,
        )
    assert refusal(confirm_with_code, actor, THIS, PASSWORD, code()) is Code.SIGN_IN_LOCKED
    assert refusal(use_confirmation, actor, THIS) is Code.CONFIRMATION_NEEDED


def test_a_security_key_signs_this_decision_and_no_other(appoint, soft_key):
    actor = appoint("decider", "460100")
    key = soft_key("decider")
    asked, other = ask_confirmation(actor, THIS), ask_confirmation(actor, OTHER)
    answer = key.sign(key_options(asked))
    assert refusal(confirm_with_key, actor, OTHER, other.pk, answer) is Code.SECURITY_KEY_REFUSED
    assert refusal(confirm_with_key, actor, OTHER, asked.pk, answer) is Code.CONFIRMATION_NEEDED
    confirm_with_key(actor, THIS, asked.pk, answer)
    assert use_confirmation(actor, THIS).factor == "key"
    assert refusal(confirm_with_key, actor, THIS, asked.pk, answer) is Code.CONFIRMATION_NEEDED


def test_an_answer_to_an_old_question_is_not_taken(appoint, soft_key):
    actor = appoint("decider", "460100")
    key = soft_key("decider")
    asked = ask_confirmation(actor, THIS)
    with time_machine.travel(timezone.now() + rules().confirmation + timedelta(seconds=1)):
        answer = key.sign(key_options(asked))
        assert refusal(confirm_with_key, actor, THIS, asked.pk, answer) is Code.CONFIRMATION_NEEDED
