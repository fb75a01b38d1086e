"""Network management (0800): sign-on, sign-off, echo, keys given out (S4), and who may speak over a line.

Field 70: 001 sign-on, 002 sign-off, 161 key exchange, 301 echo. A key exchange names in the first digit of field 53
what it wants: 1 a PIN key, 2 a MAC key; the answer carries it in field 48 as hex: the key under the institution's
transport key (ECB), then its check value. Sign-on counts for the institution on its line; its answer tells our clock in
fields 12 and 13.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sheka.foundation.iso8583 import Value
from sheka.foundation.iso8583.dictionary import fields as dictionary
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.line_policy import LinePolicy
from sheka.systems.transactions.switch.answers import Outcome
from sheka.systems.transactions.switch.faults import Faults
from sheka.systems.transactions.switch.machine import Macs
from sheka.systems.transactions.switch.registry import Registry
from sheka.systems.transactions.switch.requests import ZONE, Request, Verb
from sheka.systems.transactions.switch.side_door import BROKEN, SideDoor
from sheka.systems.transactions.switch.verbs import BATCH

SIGN_ON, SIGN_OFF, KEY_EXCHANGE, ECHO = "001", "002", "161", "301"
PURPOSES = {"1": "pin", "2": "mac"}
FACTOR_BYTES, WRAPPED_BYTES = 8, 16
_TAKE = "SELECT switch_take_key($1, $2, $3, $4, $5, $6, $7)"


class Network:
    """Answers what needs no account, and says who may speak."""

    def __init__(self, policy: LinePolicy, registry: Registry, macs: Macs, door: SideDoor, faults: Faults) -> None:
        self._policy, self._registry, self._macs, self._door = policy, registry, macs, door
        self._faults = faults
        self._signed = policy.sign_on
        self._skew = timedelta(seconds=policy.skew)

    def judge(self, request: Request, blocked: bool) -> int:
        """Why an examined request is not served now, 0 when it is. What would be written as refused is marked so:
        then the repeat of something that was approved before keeps its approval. `blocked`: its terminal is on the
        block list. Who is barred signs on all the same: its reversals are taken, and they need that.
        """
        network = request.verb is Verb.NETWORK
        stopped = _stopped(request, blocked)
        if network and stopped:
            return stopped
        request.barred = stopped
        if self._signed and not network and request.terminal.institution_id not in request.line.signed_on:
            return Code.LINE_NOT_SIGNED_ON.value
        if self._skew and request.type[2:] == "00" and _distance(str(request.fields[7])) > self._skew:
            self._faults.count("clock", [request])
            if network:
                return Code.CLOCK_SKEW.value
            if request.verb not in BATCH:
                request.barred = request.barred or Code.CLOCK_SKEW.value
        return 0

    async def serve(self, request: Request) -> Outcome:
        """The outcome of a network management message whose MAC was right."""
        line, holder = request.line, request.terminal.institution_id
        code = request.fields[70]
        if code == SIGN_ON:
            line.signed_on |= {holder}
            now = datetime.now(ZONE)
            return Outcome(0, more={12: f"{now:%H%M%S}", 13: f"{now:%m%d}"})
        if code == SIGN_OFF:
            line.signed_on -= {holder}
            return Outcome(0)
        if code == ECHO:
            return Outcome(0)
        if code != KEY_EXCHANGE:
            return Outcome(Code.NETWORK_CODE_UNKNOWN.value, differs=70)
        try:
            return Outcome(0, more=await self._give_out(request))
        except Refused as refusal:
            field = refusal.facts.get("field")
            return Outcome(refusal.number, differs=field if isinstance(field, int) else None)
        except (*BROKEN, KeyError):
            return Outcome(Code.PROOF_NOT_KNOWN.value)

    async def _give_out(self, request: Request) -> dict[int, Value]:
        """A new key: made in the machine, wrapped there, kept by its factor. Both old and new serve for a while."""
        terminal, line = request.terminal, request.terminal.line
        control = str(request.fields.get(53, ""))
        if not control:
            raise Refused(Code.FIELD_MISSING, kind="0800/161", field=53, name=dictionary()[53].name)
        purpose = PURPOSES.get(control[0])
        if purpose is None:
            raise Refused(Code.FIELD_INVALID, field=53, name=dictionary()[53].name, expected="1…, 2…", got=len(control))
        root = "" if line is None else line.mac_root if purpose == "mac" else line.pin_root
        if line is None or not line.transport_key or not root:
            raise Refused(Code.TRANSPORT_KEY_MISSING)
        factor = secrets.token_bytes(FACTOR_BYTES)
        machine = self._macs.machine(terminal.organisation)
        (wrapped,) = await machine.wrap_for_line(root, [factor], line.transport_key)
        refusal = await self._door.value(
            _TAKE,
            terminal.institution_id,
            terminal.id if line.for_terminals else None,
            purpose,
            factor.hex(),
            wrapped[WRAPPED_BYTES:].hex().upper(),
            f"{terminal.number}:{request.fields[7]}:{request.fields[11]}",
            f"terminal:{terminal.number}" if line.for_terminals else f"institution:{terminal.institution.strip()}",
        )
        if refusal:
            raise Refused(Code(refusal))
        await self._registry.refresh()
        return {48: wrapped.hex().upper(), 53: control}


def _stopped(request: Request, blocked: bool) -> int:
    """Why nothing but reversals is taken from a terminal, and why it is given no key; 0: nothing against it."""
    terminal, network = request.terminal, request.verb is Verb.NETWORK
    if request.verb is Verb.REVERSAL or (network and request.fields[70] == SIGN_ON):
        return 0
    if terminal.locked:
        return Code.TERMINAL_LOCKED.value
    if blocked:
        return Code.TERMINAL_ON_BLOCK_LIST.value
    return Code.TERMINAL_NOT_ACTIVE.value if network and terminal.closed else 0


def _distance(field_7: str) -> timedelta:
    """How far MMDDhhmmss is from now, in the year that brings it nearest."""
    now = datetime.now(ZONE).replace(tzinfo=None)
    found = timedelta.max
    for year in (now.year - 1, now.year, now.year + 1):
        try:
            found = min(found, abs(datetime.strptime(f"{year}{field_7}", "%Y%m%d%H%M%S") - now))  # noqa: DTZ007
        except ValueError:
            continue
    return found
