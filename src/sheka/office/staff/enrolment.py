"""Starting an account, or starting it again after a loss, with a code that a security administrator hands over.

The administrator starts it but chooses nothing (ASVS 6.4.6): the person sets the password and enrols the second factor.
The code counts for the span of the policy and ends when both are there; what was not lost must still be proved.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code
from sheka.foundation.terms import is_chinese
from sheka.office.audit.trail import record
from sheka.office.staff.factors import add_key, begin_authenticator, confirm_authenticator, device_count
from sheka.office.staff.models import EnrolmentCode, StaffMember
from sheka.office.staff.passwords import set_password
from sheka.office.staff.persons import code_digest
from sheka.office.staff.proofs import CODE, KEY, prove_code, prove_password
from sheka.office.staff.sessions import end_sessions
from sheka.office.staff.tries import Visit, failed_unknown, failure, must_be_let_in, must_be_open, own_actor, wrong

Lost = EnrolmentCode.Lost


def redeem(login: str, code: str, visit: Visit) -> EnrolmentCode:
    """The enrolment that this code begins. A wrong name and a wrong code get one answer, and are counted.

    Raises Refused: ENROLMENT_FAILED, SIGN_IN_LOCKED, SIGN_IN_TOO_MANY.
    """
    must_be_let_in(visit)
    staff = StaffMember.objects.select_related("organisation").filter(login=login, is_active=True).first()
    if staff is None:
        refusal = failed_unknown(login, visit)
        raise wrong(Code.ENROLMENT_FAILED) if refusal.code is Code.SIGN_IN_FAILED else refusal
    must_be_open(staff)
    found = staff.enrolment_codes.filter(_usable(), code=code_digest(code)).first()
    if found is None:
        raise failure(staff, "enrolment", visit, wrong(Code.ENROLMENT_FAILED))
    return found


def enrolment(number: int) -> EnrolmentCode:
    """The enrolment that was begun, while its code counts. Raises Refused(ENROLMENT_FAILED)."""
    found = EnrolmentCode.objects.select_related("staff__organisation").filter(_usable(), pk=number).first()
    if found is None or not found.staff.is_active:
        raise wrong(Code.ENROLMENT_FAILED)
    return found


def choose_password(begun: EnrolmentCode, password: str, visit: Visit, *, code: str = "") -> None:
    """The person's own new password. Where only the password was lost, a one-time code of the factor held is needed.

    Raises as `passwords.check_new_password` and `proofs.prove_code`.
    """
    staff = begun.staff
    if begun.lost == Lost.PASSWORD:
        prove_code(staff, code, visit)
    with transaction.atomic():
        set_password(staff, password)
        end_sessions(staff, "password")
        record(own_actor(staff), "staff.password_changed", f"staff:{staff.login}", by="enrolment")
        if begun.lost == Lost.ALL:
            _offer_authenticator(staff)
        _finish(begun)


def prove_old_password(begun: EnrolmentCode, password: str, visit: Visit) -> None:
    """Where only the second factors were lost the password must be known."""
    prove_password(begun.staff, password, visit)
    _offer_authenticator(begun.staff)


def enrol_authenticator(begun: EnrolmentCode, code: str) -> TOTPDevice:
    """The phone that was begun for this person shows its first code. Raises Refused(FACTOR_NOT_CONFIRMED)."""
    with transaction.atomic():
        device = confirm_authenticator(begun.staff, code)
        _note(begun, CODE, device.name)
        _finish(begun)
    return device


def enrol_key(begun: EnrolmentCode, challenge: bytes, answer: str, label: str) -> None:
    """A security key instead of a phone. Raises Refused: SECURITY_KEY_REFUSED, SECURITY_KEY_KNOWN."""
    with transaction.atomic():
        add_key(begun.staff, challenge, answer, label)
        _note(begun, KEY, label)
        _finish(begun)


def _offer_authenticator(staff: StaffMember) -> None:
    """A secret for the QR code of the next page, under a name in the person's language."""
    begin_authenticator(staff, "身份验证器" if is_chinese(staff.language) else "Authenticator")


def _finish(begun: EnrolmentCode) -> None:
    """The code is used up once the account has a password and a second factor again."""
    staff = begun.staff
    if staff.has_usable_password() and device_count(staff):
        begun.used_at = timezone.now()
        begun.save(update_fields=["used_at"])
        record(own_actor(staff), "staff.enrolled", f"staff:{staff.login}", lost=begun.lost)


def _note(begun: EnrolmentCode, factor: str, label: str) -> None:
    staff = begun.staff
    record(own_actor(staff), "staff.factor_added", f"staff:{staff.login}", factor=factor, label=label, by="enrolment")


def _usable() -> Q:
    return Q(used_at=None, expires_at__gt=timezone.now())
