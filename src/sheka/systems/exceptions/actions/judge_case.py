"""Automatic rules: a case nobody has touched is judged by our own books, with a log of why (S10)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.informing import tell_opener
from sheka.systems.exceptions.life import locked, move, text_of, write
from sheka.systems.exceptions.models import ExceptionCase, RuleSwitch, RuleUse
from sheka.systems.exceptions.policy import Rule, policy, rule_named
from sheka.systems.exceptions.rules import Facts, fitting
from sheka.systems.exceptions.standing import row_facts, standing_of
from sheka.systems.exceptions.states import UNKNOWN, UNTOUCHED

PATIENCE = 3
"""An unknown case is left to people after so many times `unknown_minutes`."""


@action(Permission.EXCEPTION_HANDLE)
def judge_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Look at a case with the rules: the first that fits is applied and recorded. An unknown one waits until it is
    known; one that a person opened again is left alone.
    """
    case = locked(actor, number)
    if case.state not in UNTOUCHED or case.by_hand:
        record(actor, "exception.judged", case.key, rule="", state=case.state)
        return case
    standing = standing_of(case)
    case.judged_at = timezone.now()
    if case.ours is None and standing.request is not None:
        case.ours = row_facts(standing.request)
        case.amount = case.amount or standing.request.amount
    case.save(update_fields=["judged_at", "ours", "amount"])
    found = fitting(case, standing)
    if found is not None:
        _apply(actor, case, *found)
    elif case.state == UNKNOWN and _too_long(case):
        move(actor, case, "give_up")
    record(actor, "exception.judged", case.key, rule=found[0].name if found else "", state=case.state)
    return case


@action(Permission.EXCEPTION_DECIDE)
def switch_rule(actor: Actor, *, rule: str, on: bool, reason: str) -> RuleSwitch:
    """Switch an automatic rule off or on in the actor's organisation.

    Raises Refused: EXCEPTION_RULE for one that the policy has not, EXCEPTION_RULE_OFF where the policy itself has it
    off, EXCEPTION_REASON.
    """
    known = rule_named(rule)
    if known is None:
        raise Refused(Code.EXCEPTION_RULE, rule=rule)
    if on and not known.on:
        raise Refused(Code.EXCEPTION_RULE_OFF, rule=known.title)
    said = text_of(reason)
    row = RuleSwitch.objects.create(
        organisation_id=actor.organisation, rule=rule, on=on, reason=said[:300], by=actor.name, at=timezone.now()
    )
    record(actor, "exception.rule_switched", f"rule:{rule}", on=on, reason=said, version=known.version)
    return row


def _apply(actor: Actor, case: ExceptionCase, rule: Rule, facts: Facts) -> None:
    """Do what the rule says, and write down why."""
    said = f"{rule.zh}。{rule.en}."
    noted = {"rule": rule.name, "version": rule.version}
    if rule.effect == "suggest":
        if noted.items() <= case.suggestion.items():
            return  # it stands there already
        case.suggestion = {**noted, **rule.way}
        case.save(update_fields=["suggestion"])
        write(actor, case, "suggest", said, facts=noted)
    else:
        case.resolution, case.closing, case.suggestion = said[:400], rule.closing, {}
        case.entry = facts["posting"] if rule.effect == "resolve" else None
        move(actor, case, rule.effect, said, facts=noted, told=True)
        tell_opener(case, zh=rule.zh, en=rule.en)
    RuleUse.objects.create(
        organisation_id=case.organisation_id,
        case=case,
        rule=rule.name,
        version=rule.version,
        effect=rule.effect,
        facts=facts,
        result=case.state,
        at=timezone.now(),
    )


def _too_long(case: ExceptionCase) -> bool:
    return timezone.now() - case.opened_at > timedelta(minutes=policy().unknown_minutes * PATIENCE)
