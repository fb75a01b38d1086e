"""Who may do what (K6): each caller's rights, and which key usages each verb works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.foundation.refusals import Code, Refused

_AUTHENTICATE = frozenset({Usage.AUTHENTICATE})
_MAC = frozenset({Usage.MAC})
_DIVERSIFIED_MAC = frozenset({Usage.MAC, Usage.LINE})
_PIN = frozenset({Usage.PIN})
_EVERY = frozenset(Usage)
_FOR_CHIPS = _EVERY - {Usage.WRAP, Usage.LINE, Usage.PIN, Usage.PIN_VALUE, Usage.PIN_ZONE}

VERB_USAGES: dict[Verb, frozenset[Usage]] = {
    Verb.DERIVE: frozenset({Usage.DIVERSIFY}),
    Verb.DESTROY: _EVERY,
    Verb.CHECK_VALUES: _EVERY,
    Verb.CRYPTOGRAMS: frozenset({Usage.ENCRYPT}),
    Verb.INTERNAL_AUTHENTICATION: _AUTHENTICATE,
    Verb.EXTERNAL_AUTHENTICATION: _AUTHENTICATE | {Usage.WRAP},
    Verb.CARD_AUTHENTICATION_CODES: _AUTHENTICATE,
    Verb.MACS: _DIVERSIFIED_MAC,
    Verb.MACS_OF: _MAC,
    Verb.VERIFY_MACS: _MAC,
    Verb.VERIFY_DIVERSIFIED_MACS: _DIVERSIFIED_MAC,
    Verb.WRAP_FOR_CHIPS: _FOR_CHIPS,
    Verb.WRAP_FOR_CHIP: _FOR_CHIPS,
    Verb.WRAP_DIVERSIFIED: _FOR_CHIPS,
    Verb.WRAP_FOR_LINE: frozenset({Usage.LINE, Usage.PIN}),
    Verb.VERIFY_TACS: _MAC,
    Verb.MAC1: _MAC,
    Verb.VERIFY_MAC2: _MAC,
    Verb.VERIFY_MAC1: _MAC,
    Verb.PIN_VALUES: _PIN,
    Verb.VERIFY_PINS: _PIN | {Usage.PIN_ZONE},
    Verb.TRANSLATE_PINS: _PIN,
    Verb.EXPORT_ENVELOPE: _EVERY,
}
"""The usages that a verb's key may have. The wrapping key of the four wrap verbs must be WRAP, the second key of the
two verbs about values of PINs PIN_VALUE, that of TRANSLATE_PINS PIN_ZONE. What goes out to an institution
(WRAP_FOR_LINE) is a key of a line, never a card's.

A DIVERSIFY key answers no cryptogram, MAC or authentication: ECB under it *is* the diversification of the level below.
For the same reason a working key serves either through a factor or as it is (`KeyInfo.diversified`).
"""

WRAPPING: frozenset[Usage] = frozenset({Usage.WRAP})
VALUING: frozenset[Usage] = frozenset({Usage.PIN_VALUE})
ZONING: frozenset[Usage] = frozenset({Usage.PIN_ZONE})

ALWAYS_DIVERSIFIED: frozenset[Usage] = frozenset(
    {Usage.DIVERSIFY, Usage.AUTHENTICATE, Usage.LINE, Usage.PIN, Usage.PIN_VALUE, Usage.PIN_ZONE}
)
"""Usages whose keys work through factors only, whatever was asked."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The verbs, key usages and key owners that a caller may touch; `owners` None means every owner."""

    verbs: frozenset[Verb]
    usages: frozenset[Usage]
    owners: frozenset[str] | None = None

    @classmethod
    def everything(cls) -> Rights:
        """All verbs on all keys."""
        return cls(frozenset(Verb), frozenset(Usage))

    @classmethod
    def of(
        cls, verbs: Iterable[Verb], usages: Iterable[Usage] = tuple(Usage), owners: Iterable[str] | None = None
    ) -> Rights:
        """The given verbs; every usage and owner unless narrowed."""
        return cls(frozenset(verbs), frozenset(usages), None if owners is None else frozenset(owners))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the log-in proved it."""

    name: str
    rights: Rights

    def need_verb(self, verb: Verb) -> None:
        """`MACHINE_VERB_DENIED` unless the caller may use the verb."""
        if verb not in self.rights.verbs:
            raise Refused(Code.MACHINE_VERB_DENIED, caller=self.name, verb=verb.name)

    def need_key(self, usage: Usage, owner: str) -> None:
        """`MACHINE_USAGE_DENIED` or `MACHINE_OWNER_DENIED` unless the caller may touch such a key."""
        if usage not in self.rights.usages:
            raise Refused(Code.MACHINE_USAGE_DENIED, caller=self.name, usage=usage)
        if self.rights.owners is not None and owner not in self.rights.owners:
            raise Refused(Code.MACHINE_OWNER_DENIED, caller=self.name, owner=owner)

    def may_see(self, usage: Usage, owner: str) -> bool:
        """Whether a list of keys shows this caller such a key."""
        return usage in self.rights.usages and (self.rights.owners is None or owner in self.rights.owners)


SWITCH = Rights.of(
    {
        Verb.DESCRIBE,
        Verb.KEY,
        Verb.MACS,
        Verb.MACS_OF,
        Verb.VERIFY_MACS,
        Verb.VERIFY_DIVERSIFIED_MACS,
        Verb.VERIFY_TACS,
        Verb.VERIFY_MAC1,
        Verb.VERIFY_PINS,
        Verb.TRANSLATE_PINS,
        Verb.CHECK_VALUES,
        Verb.WRAP_FOR_LINE,
    },
    {Usage.MAC, Usage.LINE, Usage.PIN, Usage.PIN_VALUE, Usage.PIN_ZONE, Usage.WRAP},
)
"""The transaction switch: MACs, TACs and PINs are verified, keys of lines given out under an institution's transport
key. PIN blocks go from one machine to another under a zone key. It makes no value of a PIN, and no key."""

INITIALISATION = Rights.of(
    {
        Verb.DESCRIBE,
        Verb.KEY,
        Verb.CHECK_VALUES,
        Verb.EXTERNAL_AUTHENTICATION,
        Verb.CARD_AUTHENTICATION_CODES,
        Verb.WRAP_FOR_CHIPS,
        Verb.WRAP_FOR_CHIP,
        Verb.WRAP_DIVERSIFIED,
    }
)
"""Initialisation equipment: keys wrapped for chips and what opens and checks a chip; it makes and destroys nothing."""
