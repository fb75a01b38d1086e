"""What everybody does to the own account: password, authenticators, security keys, recovery codes.

The pages have presence confirmed before (`faces.console.account.confirm`); the actions ask for it again.
"""

from __future__ import annotations

from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff import factors
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.models import SecurityKey, StaffMember
from sheka.office.staff.passwords import set_password
from sheka.office.staff.permissions import Permission
from sheka.office.staff.proofs import CODE, KEY, prove_password
from sheka.office.staff.sessions import end_sessions
from sheka.office.staff.tries import NOWHERE, Visit


def change_digest(actor: Actor, change: str, **facts: object) -> str:
    """The digest that presence is confirmed for: this change of this account."""
    return digest({"staff": actor.staff_id, "change": change, **facts})


def change_password(actor: Actor, *, current: str, new: str, visit: Visit = NOWHERE) -> None:
    """Prove the present password (a failure is counted), set the new one, end the other sessions.

    Raises Refused: CONFIRMATION_FAILED, SIGN_IN_LOCKED, and as `passwords.check_new_password`.
    """
    prove_password(own(actor), current, visit, Code.CONFIRMATION_FAILED)
    _set_password(actor, new=new)


@action(Permission.SELF_MANAGE)
def _set_password(actor: Actor, *, new: str) -> None:
    staff = own(actor)
    set_password(staff, new)
    end_sessions(staff, "password", keep=actor.session)
    record(actor, "staff.password_changed", f"staff:{staff.login}", by="holder")


@action(Permission.SELF_MANAGE)
def add_authenticator(actor: Actor, *, code: str) -> TOTPDevice:
    """Confirm the authenticator that was begun. Raises Refused: CONFIRMATION_NEEDED, FACTOR_NOT_CONFIRMED."""
    device = factors.confirm_authenticator(own(actor), code)
    _added(actor, CODE, device.name)
    return device


@action(Permission.SELF_MANAGE)
def begin_authenticator(actor: Actor, *, label: str) -> TOTPDevice:
    """A new secret for a phone. Raises Refused: CONFIRMATION_NEEDED, FACTOR_TOO_MANY."""
    use_confirmation(actor, change_digest(actor, "add_authenticator"))
    device = factors.begin_authenticator(own(actor), label)
    record(actor, "staff.factor_begun", f"staff:{device.user.login}", factor=CODE)
    return device


@action(Permission.SELF_MANAGE)
def add_security_key(actor: Actor, *, challenge: bytes, answer: str, label: str) -> SecurityKey:
    """Register a key.

    Raises Refused: CONFIRMATION_NEEDED, SECURITY_KEY_REFUSED, SECURITY_KEY_KNOWN, FACTOR_TOO_MANY.
    """
    use_confirmation(actor, change_digest(actor, "add_key"))
    key = factors.add_key(own(actor), challenge, answer, label)
    _added(actor, KEY, key.label)
    return key


@action(Permission.SELF_MANAGE)
def remove_device(actor: Actor, *, kind: str, number: int) -> None:
    """Raises Refused: CONFIRMATION_NEEDED, FACTOR_UNKNOWN, FACTOR_LAST."""
    use_confirmation(actor, change_digest(actor, "remove", kind=kind, number=number))
    staff = own(actor)
    label = factors.drop_device(staff, kind, number)
    record(actor, "staff.factor_removed", f"staff:{staff.login}", factor=kind, label=label)


@action(Permission.SELF_MANAGE)
def make_recovery_codes(actor: Actor) -> list[str]:
    """A fresh sheet of codes, shown once. Raises Refused(CONFIRMATION_NEEDED)."""
    use_confirmation(actor, change_digest(actor, "recovery"))
    staff = own(actor)
    codes = factors.new_recovery_codes(staff)
    record(actor, "staff.recovery_codes_made", f"staff:{staff.login}", number=len(codes))
    return codes


def own(actor: Actor) -> StaffMember:
    """The actor's own row."""
    return StaffMember.objects.select_related("organisation").get(pk=actor.staff_id)


def _added(actor: Actor, factor: str, label: str) -> None:
    record(actor, "staff.factor_added", f"staff:{own(actor).login}", factor=factor, label=label, by="holder")
