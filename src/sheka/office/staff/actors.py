"""Who acts: the first argument of every action."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.permissions import Permission

OUTLET = re.compile(r"o[0-9]{6}_[0-9A-Za-z_]+")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person signed in, or a process of the node, with the organisation it acts for.

    `session` names the person's session of staff (`office.staff.sessions`); it is empty for a process and for a script.
    `client` names a client of the API (`office.clients`): it acts for its organisation and decides nothing, since it is
    no person. `books`: the path whose rows it reads instead of its own, where a query narrows them (office.api.books).
    """

    staff_id: int | None
    name: str
    organisation: str
    path: str
    permissions: frozenset[Permission]
    session: str = ""
    client: str = ""
    books: str = ""

    @classmethod
    def process(cls, name: str, organisation_code: str) -> Actor:
        """A job or message handler of a hosted organisation: it holds every permission there; its name is audited."""
        place = organisation(organisation_code)
        return cls(None, f"process:{name}", place.code, place.path, frozenset(Permission))

    @property
    def scope(self) -> str:
        """Whose rows this actor reads: an outlet and a district office read for their bureau, a bureau and a partner
        for themselves.

        >>> Actor(None, "", "460100-01", "o000000.o460000.o460100.o460100_01", frozenset()).scope
        'o000000.o460000.o460100'
        >>> Actor(None, "", "460106-01", "o000000.o460000.o460100.o460106.o460106_01", frozenset()).scope
        'o000000.o460000.o460100'
        """
        if self.books:
            return self.books
        labels = self.path.split(".")
        while OUTLET.fullmatch(labels[-1]) or labels[-2:-1] == [f"{labels[-1][:5]}00"]:  # 460106 stands under 460100
            labels.pop()
        return ".".join(labels)

    @property
    def is_person(self) -> bool:
        return self.staff_id is not None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises Refused(PERMISSION_MISSING)."""
        if not self.may(permission):
            raise Refused(Code.PERMISSION_MISSING, permission=permission.value)

    def reaches(self, place: Organisation) -> bool:
        """True for the actor's own organisation and everything below it."""
        return place.path == self.path or place.path.startswith(self.path + ".")

    def must_act_for(self, place: Organisation | str) -> None:
        """Raises Refused(ORGANISATION_OUT_OF_REACH) when `place` is not the actor's own organisation or below it."""
        found = organisation(place) if isinstance(place, str) else place
        if not self.reaches(found):
            raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=found.name)
