"""How an institution's line is protected (S4): its algorithm, its transport key; terminals locked by the switch."""

from __future__ import annotations

from django.utils import timezone

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.line_models import LineEvent, LinePurpose, LineRoot, TerminalFault
from sheka.systems.transactions.models import Institution, KeysFor, LineProfile, Terminal
from sheka.systems.transactions.registration import locked
from sheka.systems.transactions.states import TERMINAL

ALGORITHMS = {LineProfile.SM4.value: Algorithm.SM4, LineProfile.TDES.value: Algorithm.TDES}
USAGES = {LinePurpose.MAC: Usage.LINE, LinePurpose.PIN: Usage.PIN, LinePurpose.PIN_VALUE: Usage.PIN_VALUE}
MOST_EVENTS = 500


@action(Permission.LINE_MANAGE)
def set_profile(actor: Actor, *, code: str, profile: str, keys_for: str = KeysFor.TERMINAL) -> Institution:
    """The algorithm of an institution's messages, and whom a working key serves. Another algorithm means another first
    MAC key, and no transport key until one of it is registered.

    Raises Refused: INSTITUTION_UNKNOWN, and the machine's refusals.
    """
    row = locked(actor, code)
    profile, keys_for = LineProfile(profile).value, KeysFor(keys_for).value
    before = row.profile
    row.keys_for = keys_for
    if profile != before:
        algorithm = ALGORITHMS[profile]
        key = _key(row.organisation_id, f"MAC-{code}.{algorithm.name}", algorithm, Usage.MAC)
        row.profile, row.mac_key, row.mac_check_value = profile, key.ref, key.check_value
        row.mac_version, row.mac_since = row.mac_version + 1, timezone.now()
        row.transport_key = row.transport_check_value = ""
    row.save()
    record(actor, "institution.line_profile", f"institution:{code}", before=before, profile=profile, keys_for=keys_for)
    return row


@action(Permission.LINE_MANAGE)
def set_transport_key(actor: Actor, *, code: str, reference: str) -> Institution:
    """The key under which working keys go out to an institution. It is in the machine already, entered in components by
    both sides' people, or made there; the roots of the lines' keys are made when they are not there yet.

    Raises Refused: INSTITUTION_UNKNOWN, TRANSPORT_KEY_UNFIT, and the machine's refusals.
    """
    row = locked(actor, code)
    device = machine_of(row.organisation_id)
    key = device.key(reference)
    algorithm = ALGORITHMS[row.profile]
    if reason := _unfit(key, algorithm, row.organisation_id):
        raise Refused(Code.TRANSPORT_KEY_UNFIT, key=key.name, reason=reason)
    for purpose in (LinePurpose.MAC, LinePurpose.PIN):
        line_root(row.organisation_id, purpose, algorithm)
    row.transport_key, row.transport_check_value = key.ref, key.check_value
    row.save(update_fields=["transport_key", "transport_check_value"])
    record(actor, "institution.transport_key", f"institution:{code}", name=key.name, check_value=key.check_value)
    return row


@action(Permission.TERMINAL_UNLOCK)
def unlock_terminal(actor: Actor, *, number: str, reason: str) -> Terminal:
    """Give a terminal free that the switch locked; its counts begin anew.

    Raises Refused: TERMINAL_UNKNOWN, LINE_REASON_MISSING, STATE_FORBIDS.
    """
    row = Terminal.objects.select_for_update(of=("self",)).select_related("institution").filter(number=number).first()
    if row is None:
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    actor.must_act_for(row.institution.organisation_id)
    if not reason.strip():
        raise Refused(Code.LINE_REASON_MISSING)
    row.state = TERMINAL.after(row.state, "unlock")
    row.save(update_fields=["state"])
    TerminalFault.objects.filter(terminal=row).update(times=0, since=timezone.now(), locked_at=None)
    record(actor, "terminal.unlock", f"terminal:{number}", reason=reason.strip()[:300])
    return row


@action(Permission.TRANSACTION_VERIFY)
def tell_line_events(actor: Actor) -> int:
    """Carry what the switch did by itself to keys and terminals into the audit chain, in its order; how many."""
    rows = list(LineEvent.objects.select_for_update().filter(told_at=None).order_by("id")[:MOST_EVENTS])
    for row in rows:
        record(actor, row.kind, row.subject, at=row.at, **row.facts)
    LineEvent.objects.filter(pk__in=[row.pk for row in rows]).update(told_at=timezone.now())
    if not rows:
        record(actor, "line.nothing_to_tell", "switch")  # no action without audit
    return len(rows)


def organisations_to_tell() -> list[str]:
    """Whose institutions have something to tell, in scope."""
    rows = LineEvent.objects.filter(told_at=None).order_by("institution__organisation_id")
    return list(rows.values_list("institution__organisation_id", flat=True).distinct())


def line_root(organisation_code: str, purpose: LinePurpose, algorithm: Algorithm) -> LineRoot:
    """The root of an organisation's lines for a purpose; made in its machine if it is missing. The caller audits."""
    found = LineRoot.objects.filter(
        organisation_id=organisation_code, purpose=purpose, algorithm=int(algorithm)
    ).first()
    if found is not None:
        return found
    key = _key(organisation_code, f"LINE-{purpose.value}.{algorithm.name}", algorithm, USAGES[purpose])
    return LineRoot.objects.create(
        organisation_id=organisation_code,
        purpose=purpose,
        algorithm=int(algorithm),
        reference=key.ref,
        check_value=key.check_value,
        made_at=timezone.now(),
    )


def _key(owner: str, name: str, algorithm: Algorithm, usage: Usage) -> KeyInfo:
    """A key of this name; what an interrupted attempt made is taken up."""
    device: EncryptionMachine = machine_of(owner)
    for known in device.list_keys():
        if (known.name, known.usage, known.algorithm) == (name, usage, algorithm) and not known.destroyed:
            return known
    return device.generate(name, algorithm, usage, owner=owner, diversified=usage is not Usage.MAC)


def _unfit(key: KeyInfo, algorithm: Algorithm, owner: str) -> Term | None:
    if key.usage is not Usage.WRAP or key.diversified:
        return Term("不是传输密钥", "it is no transport key")
    if key.algorithm is not algorithm:
        return Term("算法与机构不一致", "its algorithm is not the institution's")
    if key.owner != owner or key.destroyed:
        return Term("不属于本机构或已销毁", "it is not this organisation's, or destroyed")
    return None
