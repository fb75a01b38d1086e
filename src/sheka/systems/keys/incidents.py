"""What an incident does to keys: suspends them at once, lets them go again, asks for their rotation (K9)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.freezing import MOST, Thing, follows_up, freezes
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.life import move
from sheka.systems.keys.models import Consignment, Key, Machine
from sheka.systems.keys.queries import key_labelled, keys_of
from sheka.systems.keys.waiting import rotation_needed


@freezes("key")
class FreezeKey:
    """A subject is a key's label: "IRK.SM4.1"."""

    @staticmethod
    def freeze(actor: Actor, subject: str, incident: str) -> str:
        """Nothing uses the key from the next call of the machine on; twice is no error. Raises Refused(KEY_UNKNOWN)."""
        key = suspend_key(actor, label=subject, incident=incident)
        return f"{subject} ({key.check_value}): {key.state}"

    @staticmethod
    def thaw(actor: Actor, subject: str, incident: str) -> str:
        """The key goes back to the state it had, unless it was retired meanwhile."""
        key = release_key(actor, label=subject, incident=incident)
        return f"{subject} ({key.check_value}): {key.state}"

    @staticmethod
    def find(actor: Actor, text: str) -> Sequence[Thing]:
        """Keys by the beginning of their names."""
        rows = keys_of(actor.organisation).filter(name__istartswith=text).exclude(state__in=("planned", "destroyed"))
        return [Thing(key.label, key.check_value, key.state) for key in rows[:MOST]]


@action(Permission.KEY_CARRY_OUT)
def suspend_key(actor: Actor, *, label: str, incident: str) -> Key:
    """Called when an incident is reported. Raises Refused(KEY_UNKNOWN), STATE_FORBIDS for one that nothing uses."""
    key = _locked(actor, label)
    if key.state != "suspended":
        key.state_before, key.incident = key.state, incident
        move(actor, [key], "suspend", "state_before", "incident", about=incident)
        _stop(key)
    record(actor, "key.suspended", key.subject, incident=incident, check_value=key.check_value)
    return key


@action(Permission.KEY_CARRY_OUT)
def release_key(actor: Actor, *, label: str, incident: str) -> Key:
    """Called when the incident ends, for keys that this incident suspended."""
    key = _locked(actor, label)
    if key.state == "suspended" and key.incident == incident:
        verb, key.state_before, key.incident = f"thaw_{key.state_before}", "", ""
        move(actor, [key], verb, "state_before", "incident", about=incident)
        _let_go(key)
    record(actor, "key.released", key.subject, incident=incident, state=key.state)
    return key


@follows_up("rotation", "key", "carrier")
def rotation(actor: Actor, subject: str, incident: str) -> str:
    """The plan says to rotate: work for a key officer, for the key or for the keys on the carrier."""
    kind, _, name = subject.partition(":")
    return ask_rotation(actor, kind=kind, name=name, incident=incident)


@action(Permission.KEY_CARRY_OUT)
def ask_rotation(actor: Actor, *, kind: str, name: str, incident: str) -> str:
    """Work for each algorithm and version concerned; what was asked for. Raises Refused(KEY_UNKNOWN)."""
    concerned = [key_labelled(actor.organisation, name)] if kind == "key" else _on_carrier(actor, name)
    told = [rotation_needed(actor, key, incident) for key in concerned]
    record(actor, "key.rotation_asked", f"{kind}:{name}", incident=incident, work=told)
    return "; ".join(told) or "-"


def _locked(actor: Actor, label: str) -> Key:
    found = key_labelled(actor.organisation, label)
    return Key.objects.select_for_update().get(pk=found.pk)


def _on_carrier(actor: Actor, serial: str) -> list[Key]:
    """One key for each algorithm and version that the carrier held."""
    rows = Consignment.objects.filter(held_by_id=actor.organisation, carrier=serial)
    found = []
    for algorithm, version in rows.order_by().values_list("algorithm", "version").distinct():
        key = keys_of(actor.organisation).filter(algorithm=algorithm, version=version).first()
        found += [key] if key else []
    return found


def _stop(key: Key) -> None:
    """The door of the machine reads it before every call (machines.py), the switch too."""
    row = Machine.objects.select_for_update().filter(organisation_id=key.organisation_id).first()
    if row is not None:
        told = {"reference": key.reference, "name": key.name, "version": key.version, "incident": key.incident}
        row.stopped = [one for one in row.stopped if one["reference"] != key.reference] + [told]
        row.save(update_fields=["stopped"])


def _let_go(key: Key) -> None:
    row = Machine.objects.select_for_update().filter(organisation_id=key.organisation_id).first()
    if row is not None:
        row.stopped = [one for one in row.stopped if one["reference"] != key.reference]
        row.save(update_fields=["stopped"])
