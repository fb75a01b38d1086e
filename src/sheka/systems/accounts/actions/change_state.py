"""Freeze, release and close an account (S6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account
from sheka.systems.accounts.states import ACCOUNT


@action(Permission.ACCOUNT_FREEZE)
def freeze_account(actor: Actor, *, number: str, reason: str) -> Account:
    """Nothing is debited or credited until it is released; a reversal still brings money back."""
    return _change(actor, number, "freeze", reason)


@action(Permission.ACCOUNT_FREEZE)
def release_account(actor: Actor, *, number: str, reason: str) -> Account:
    return _change(actor, number, "release", reason)


@action(Permission.ACCOUNT_OPEN)
def close_account(actor: Actor, *, number: str, reason: str) -> Account:
    """Close an empty account. Raises Refused(ACCOUNT_NOT_EMPTY) when money is left on it."""
    return _change(actor, number, "close", reason)


def _change(actor: Actor, number: str, verb: str, reason: str) -> Account:
    account = Account.objects.select_for_update().filter(number=number).first()
    if account is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    actor.must_act_for(account.organisation_id)
    account.state = ACCOUNT.after(account.state, verb)
    if account.state == "closed":
        if account.balance:
            raise Refused(Code.ACCOUNT_NOT_EMPTY, account=number)
        account.closed_at = timezone.now()
    account.save(update_fields=["state", "closed_at"])
    record(actor, f"account.{verb}", f"account:{number}", reason=reason)
    return account
