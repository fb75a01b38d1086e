"""Who may do what (K6): each caller's rights, and which key usages each verb works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.foundation.refusals import Code, Refused

_AUTHENTICATE = frozenset({Usage.AUTHENTICATE})
_MAC = frozenset({Usage.MAC})
_EVERY = frozenset(Usage)

VERB_USAGES: dict[Verb, frozenset[Usage]] = {
    Verb.DERIVE: frozenset({Usage.DIVERSIFY}),
    Verb.DESTROY: _EVERY,
    Verb.CHECK_VALUES: _EVERY,
    Verb.CRYPTOGRAMS: frozenset({Usage.ENCRYPT}),
    Verb.INTERNAL_AUTHENTICATION: _AUTHENTICATE,
    Verb.EXTERNAL_AUTHENTICATION: _AUTHENTICATE | {Usage.WRAP},
    Verb.CARD_AUTHENTICATION_CODES: _AUTHENTICATE,
    Verb.MACS: _MAC,
    Verb.MACS_OF: _MAC,
    Verb.VERIFY_MACS: _MAC,
    Verb.VERIFY_DIVERSIFIED_MACS: _MAC,
    Verb.WRAP_FOR_CHIPS: _EVERY - {Usage.WRAP},
    Verb.WRAP_FOR_CHIP: _EVERY - {Usage.WRAP},
    Verb.WRAP_DIVERSIFIED: _EVERY - {Usage.WRAP},
    Verb.VERIFY_TACS: _MAC,
    Verb.MAC1: _MAC,
    Verb.VERIFY_MAC2: _MAC,
    Verb.EXPORT_ENVELOPE: _EVERY,
}
"""The usages that a verb's key may have. The wrapping key of the three wrap verbs must be WRAP.

A DIVERSIFY key answers no cryptogram, MAC or authentication: ECB under it *is* the diversification of the level below.
For the same reason a working key serves either through a factor or as it is (`KeyInfo.diversified`).
"""

WRAPPING: frozenset[Usage] = frozenset({Usage.WRAP})

ALWAYS_DIVERSIFIED: frozenset[Usage] = frozenset({Usage.DIVERSIFY, Usage.AUTHENTICATE})
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
    },
    {Usage.MAC},
)
"""The transaction switch: MACs and TACs, nothing else."""

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
