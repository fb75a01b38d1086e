"""PIN and cryptogram of a batch, judged in the encryption machine (S4, C1; card.md §5–6, LD/T 33 medical purchase).

What a message carries is verified, and the policy says what it must carry. One call of the machine for each key of the
batch, as with the MACs. A try of a PIN is counted before it is judged, so that many at once are no more tries than the
policy allows. Requests that are in the tables already are left alone: they get their stored answer, and are not counted
again. Nothing here ever sees a PIN.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.equipment.encryption_machine.model import PinFinding
from sheka.equipment.encryption_machine.requests import session_input
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.iso8583 import chip_data
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.line_policy import MAC1, NONE, LinePolicy
from sheka.systems.transactions.switch.faults import Faults
from sheka.systems.transactions.switch.machine import Macs
from sheka.systems.transactions.switch.pins import PIN_FIELDS, Kept, PinJudge, PinTry
from sheka.systems.transactions.switch.requests import Request, Verb
from sheka.systems.transactions.switch.side_door import BROKEN, SideDoor

log = logging.getLogger("sheka.switch")
WITH_PROOF = frozenset({Verb.PURCHASE, Verb.ADVICE, Verb.PRE_AUTHORISATION, Verb.BALANCE})
_TRIES = "SELECT * FROM switch_pin_tries($1::text[], $2)"
_JUDGED = "SELECT switch_pin_judged($1::text[], $2::text[], $3::text[], $4)"
_TAKEN = "SELECT switch_taken($1::date, $2::integer[], $3::integer[], $4::integer[])"
_CARDS = "SELECT * FROM switch_card_keys($1::text[])"
_WRONG = {PinFinding.WRONG: Code.PIN_WRONG, PinFinding.NO_BLOCK: Code.PIN_BLOCK_INVALID}


@dataclass(frozen=True, slots=True)
class CardKeys:
    """Where a card's cryptogram is judged: the organisation's machine, the card's factor, name/version → reference."""

    organisation: str
    factor: bytes
    references: dict[str, str]


Signed = tuple[Request, CardKeys, Settlement]


class Proofs:
    """`check` marks the requests of a batch that do not prove what they must: `barred` is the refusal with which they
    are written. It answers those that cannot be judged: of them nothing is written. `is_idle`: whether an
    organisation's machine may do no production work (K4); the machine of the card's city is asked, which may be another
    than the terminal's.
    """

    def __init__(
        self, policy: LinePolicy, macs: Macs, door: SideDoor, faults: Faults, is_idle: Callable[[str], bool]
    ) -> None:
        self._is_idle = is_idle
        self._policy, self._macs, self._door, self._faults = policy, macs, door, faults
        self._pins = PinJudge(macs, door)
        self._must_pin = policy.pin_required
        self._must_sign = {letter: what for letter, what in policy.cryptogram.items() if what != NONE}
        self._demands = bool(self._must_pin or self._must_sign)

    async def check(self, batch: list[Request]) -> list[Request]:
        """Requests examined, their MACs right; those of them that cannot be judged at present (4718)."""
        asked = [one for one in batch if self._concerns(one)]
        if not asked:
            return asked
        try:
            asked = await self._new(asked)
            unknown = await self._check_cryptograms([one for one in asked if self._signs(one)])
            rest = [one for one in asked if one not in unknown and not one.barred and self._is_pinned(one)]
            return unknown + await self._check_pins(rest)
        except (*BROKEN, Refused, KeyError) as error:
            log.warning("PIN or cryptogram of %d requests: %r", len(asked), error)
            return [one for one in asked if not one.barred]

    def _concerns(self, one: Request) -> bool:
        fields = one.fields
        if not (self._demands or 52 in fields or 59 in fields or one.chip):
            return False
        return one.verb in WITH_PROOF and not one.barred and (self._is_pinned(one) or self._signs(one))

    def _is_pinned(self, one: Request) -> bool:
        """Whether a PIN comes or must come. An advice tells of what was done: there is nobody to ask."""
        if one.verb is Verb.ADVICE:
            return False
        if 52 in one.fields or 59 in one.fields:
            return True
        return one.terminal.institution[0] in self._must_pin and one.verb is not Verb.BALANCE

    def _signs(self, one: Request) -> bool:
        if one.chip is not None and chip_data.CRYPTOGRAM in one.chip and one.verb is not Verb.BALANCE:
            return True
        return one.terminal.institution[0] in self._must_sign and one.verb is not Verb.BALANCE

    async def _new(self, asked: list[Request]) -> list[Request]:
        """Those that have no row yet."""
        days: dict[date, list[Request]] = defaultdict(list)
        for one in asked:
            if one.verb is not Verb.BALANCE:
                days[one.date].append(one)
        known: set[int] = set()
        for day, group in days.items():
            holders = [one.terminal.institution_id for one in group]
            terminals = [one.terminal.id for one in group]
            taken = await self._door.value(_TAKEN, day, holders, terminals, [one.stan for one in group])
            known |= {id(one) for one, found in zip(group, taken, strict=True) if found}
        return [one for one in asked if id(one) not in known]

    # PINs

    async def _check_pins(self, asked: list[Request]) -> list[Request]:
        """Those that cannot be judged at present."""
        whole = []
        for one in asked:
            line, keys = one.terminal.line, one.terminal.keys
            field = 0 if line is None else PIN_FIELDS[line.algorithm]
            if field not in one.fields:
                other = 52 in one.fields or 59 in one.fields
                one.barred = (Code.PIN_BLOCK_INVALID if other else Code.PIN_MISSING).value
            elif keys is None or not keys.pin:
                one.barred = Code.PIN_BLOCK_INVALID.value
            else:
                whole.append(one)
        if not whole:
            return []
        row = await self._door.row(_TRIES, [one.card for one in whole], self._policy.pin_tries)
        judged: list[tuple[Request, Kept]] = []
        idle: list[str] = []
        columns = ("places", "refusals", "roots", "organisations", "pin_values")
        for place, refusal, root, organisation, value in zip(*(row[name] for name in columns), strict=True):
            one = whole[place - 1]
            if refusal:
                one.barred = refusal
            elif self._is_idle(organisation):
                one.barred = Code.MACHINE_OUT_OF_PRODUCTION.value
                idle.append(one.card)
            else:
                judged.append((one, Kept(organisation, root, bytes.fromhex(value))))
        findings: dict[int, PinFinding] = {}
        try:
            findings = await self._judge_pins(judged)
        finally:  # what could not be judged is not held against the card
            cards: dict[PinFinding, list[str]] = defaultdict(list)
            for one, _ in judged:
                cards[findings.get(id(one), PinFinding.NO_BLOCK)].append(one.card)
            right, void, wrong = (cards[each] for each in (PinFinding.RIGHT, PinFinding.NO_BLOCK, PinFinding.WRONG))
            await self._door.row(_JUDGED, right, void + idle, wrong, self._policy.pin_tries)
        for one, _ in judged:
            refused = _WRONG.get(findings[id(one)]) if id(one) in findings else None
            if refused is not None:
                one.barred = refused.value
        return [one for one, _ in judged if id(one) not in findings]

    async def _judge_pins(self, judged: list[tuple[Request, Kept]]) -> dict[int, PinFinding]:
        """By id of the request. A block that does not open under the newest key is tried under the one before. Those
        whose machine does not answer are missing.
        """
        found: dict[int, PinFinding] = {}
        waiting = [(one, kept, one.terminal.keys.opening() if one.terminal.keys else []) for one, kept in judged]
        while waiting:
            groups: dict[tuple[str, str, str, str], list[PinTry]] = defaultdict(list)
            for one, kept, keys in waiting:
                found[id(one)] = PinFinding.NO_BLOCK
                if keys:
                    place = one.terminal.organisation
                    groups[place, kept.organisation, keys[0].reference, kept.root].append(PinTry(one, kept, keys[0]))
            for (place, city, root, value_root), items in groups.items():
                try:
                    findings = await self._pins.judge(place, city, root, value_root, items)
                except (*BROKEN, Refused, KeyError) as error:
                    log.warning("PINs of %d requests of %s at %s: %r", len(items), city, place, error)
                    for item in items:
                        del found[id(item.request)]
                else:
                    found |= {id(item.request): each for item, each in zip(items, findings, strict=True)}
            waiting = [
                (one, kept, keys[1:])
                for one, kept, keys in waiting
                if len(keys) > 1 and found.get(id(one)) is PinFinding.NO_BLOCK
            ]
        return found

    # cryptograms

    async def _check_cryptograms(self, asked: list[Request]) -> list[Request]:
        """Those that cannot be judged at present: of the cities whose machines do not answer, and no others."""
        if not asked:
            return []
        cards = await self._cards({one.card for one in asked})
        tacs: dict[tuple[str, str], list[Signed]] = defaultdict(list)
        mac1s: dict[tuple[str, str], list[Signed]] = defaultdict(list)
        for one in asked:
            chip, card = one.chip or {}, cards.get(one.card)
            must = self._must_sign.get(one.terminal.institution[0], NONE)
            if chip_data.CRYPTOGRAM not in chip or (must == MAC1 and chip_data.MAC1 not in chip):
                one.barred = Code.CRYPTOGRAM_MISSING.value
                continue
            deal = _settlement(one, chip)
            if deal is None:
                one.barred = Code.CRYPTOGRAM_WRONG.value
                self._faults.count("proof", [one])
                continue
            if card is None:
                one.barred = Code.CRYPTOGRAM_KEY_UNKNOWN.value
                continue
            if self._is_idle(card.organisation):
                one.barred = Code.MACHINE_OUT_OF_PRODUCTION.value
                continue
            tac_key = card.references.get(one.key_version)
            session = chip.get(chip_data.SESSION, b"")
            mac1_key = card.references.get(f"DPK/{session[4]}") if len(session) == 5 else None
            if tac_key is None or (chip_data.MAC1 in chip and mac1_key is None):
                one.barred = Code.CRYPTOGRAM_KEY_UNKNOWN.value
                continue
            tacs[card.organisation, tac_key].append((one, card, deal))
            if mac1_key is not None and chip_data.MAC1 in chip:
                mac1s[card.organisation, mac1_key].append((one, card, deal))
        unknown: list[Request] = []
        for judge, groups in ((self._judge_tacs, tacs), (self._judge_mac1s, mac1s)):
            for (organisation, reference), items in groups.items():
                try:
                    self._refuse(items, await judge(self._macs.machine(organisation), reference, items))
                except (*BROKEN, Refused, KeyError) as error:
                    log.warning("cryptograms of %d requests of %s: %r", len(items), organisation, error)
                    unknown += [one for one, _, _ in items if not one.barred and one not in unknown]
        for one in (one for items in tacs.values() for one, _, _ in items if not one.barred):
            one.offline = one.counter
        return unknown

    @staticmethod
    async def _judge_tacs(machine: AsyncEncryptionMachine, reference: str, items: list[Signed]) -> list[bool]:
        return await machine.verify_tacs(
            reference,
            [card.factor for _, card, _ in items],
            [deal for _, _, deal in items],
            [_value(one, chip_data.PSAM_SEQUENCE) for one, _, _ in items],
            [_value(one, chip_data.CRYPTOGRAM) for one, _, _ in items],
        )

    @staticmethod
    async def _judge_mac1s(machine: AsyncEncryptionMachine, reference: str, items: list[Signed]) -> list[bool]:
        return await machine.verify_mac1(
            reference,
            [card.factor for _, card, _ in items],
            [_session(one) for one, _, _ in items],
            [deal for _, _, deal in items],
            [_value(one, chip_data.MAC1) for one, _, _ in items],
        )

    async def _cards(self, numbers: set[str]) -> dict[str, CardKeys]:
        row = await self._door.row(_CARDS, sorted(numbers))
        found: dict[str, CardKeys] = {}
        columns = ("cards", "organisations", "factors", "key_names", "key_references")
        for number, organisation, factor, name, reference in zip(*(row[each] or () for each in columns), strict=True):
            if number not in found and len(factor) == 16:
                found[number] = CardKeys(organisation, bytes.fromhex(factor), {})
            if number in found:
                found[number].references[name] = reference
        return found

    def _refuse(self, items: list[Signed], right: list[bool]) -> None:
        wrong = [one for (one, _, _), same in zip(items, right, strict=True) if not same and not one.barred]
        for one in wrong:
            one.barred = Code.CRYPTOGRAM_WRONG.value
        if wrong:
            self._faults.count("proof", wrong)


def _value(one: Request, tag: int) -> bytes:
    return (one.chip or {}).get(tag, b"")


def _session(one: Request) -> bytes:
    session = _value(one, chip_data.SESSION)
    return session_input(session[:4], _value(one, chip_data.SEQUENCE), _value(one, chip_data.PSAM_SEQUENCE))


def _settlement(one: Request, chip: dict[int, bytes]) -> Settlement | None:
    """What the card signed: its amounts and this message's terminal, date and time. None when they do not agree.

    Without amounts of its own it is the online settlement of the amount: 0, total, personal account and pooled fund.
    """
    if len(chip.get(chip_data.PSAM_SEQUENCE, b"")) != 4 or len(chip[chip_data.CRYPTOGRAM]) != 4:
        return None
    if chip_data.MAC1 in chip and (len(chip[chip_data.MAC1]) != 4 or len(chip.get(chip_data.SEQUENCE, b"")) != 2):
        return None
    raw = chip.get(chip_data.AMOUNTS)
    if raw is None:
        amounts = (0, one.amount, one.amount)
    elif len(raw) == 12:
        amounts = (int.from_bytes(raw[:4]), int.from_bytes(raw[4:8]), int.from_bytes(raw[8:]))
    else:
        return None
    if not (amounts[0] == one.amount or (amounts[0] == 0 and one.amount <= amounts[2])) or amounts[2] > 0xFFFFFFFF:
        return None
    return Settlement(
        amounts, bytes.fromhex(one.terminal.number), bytes.fromhex(f"{one.date:%Y%m%d}{one.local_time:06d}")
    )
