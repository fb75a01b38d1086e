"""How a request stands elsewhere: the organisation that had the turn tells the others, and gives it on (design §4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.matters import matter_of
from sheka.office.approvals.models import Decision, Proposal, Version, frozen_digest
from sheka.office.approvals.routes import Route, route_for
from sheka.office.approvals.states import RUNNING
from sheka.office.approvals.turns import DECISION, TIMES, VERSION, WHOLE
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor

VERDICT_OF = {"approved": "approve", "done": "approve", "rejected": "reject", "returned": "supplement"}


def take_news(actor: Actor, *, source: str, told: dict[str, Any]) -> bool:
    """Take a snapshot that is newer than the own copy; False for one that came again or was overtaken.

    Raises Refused: APPROVAL_UNKNOWN_KIND, APPROVAL_ROUTE_DIFFERS, APPROVAL_ALTERED, APPROVAL_NOT_CREDIBLE.
    """
    mine = (
        Proposal.objects.select_for_update()
        .filter(number=UUID(told["number"]), organisation_id=actor.organisation)
        .first()
    )
    if mine is not None and mine.serial >= told["serial"]:
        return False
    action(matter_of(told["kind"]).views)(_take)(actor, mine, source, told)
    return True


def _take(actor: Actor, mine: Proposal | None, source: str, told: dict[str, Any]) -> None:
    _must_be_its_route(mine, told)
    _must_be_credible(source, told)
    came = mine or Proposal(number=UUID(told["number"]), organisation_id=actor.organisation)
    was_running = mine is None or mine.state in RUNNING
    for name in WHOLE:
        setattr(came, name, told[name])
    for name in TIMES:
        setattr(came, name, _time(told[name]))
    last = told["versions"][-1]
    came.payload, came.digest, came.assignee = last["payload"], last["digest"], None
    came.save()
    _keep_rows(came, told)
    keep_work(actor, came)
    if was_running and came.state not in RUNNING and came.matter.note:
        came.matter.note(actor, came)
    record(
        actor, "approval.told", came.key, by=source, state=came.state, step=came.step + 1, serial=came.serial,
        number=came.number, digest=came.digest,
    )  # fmt: skip


def _keep_rows(came: Proposal, told: dict[str, Any]) -> None:
    """Versions and decisions only ever become more; a known one is left as it is."""
    known = set(came.versions.values_list("number", flat=True))
    Version.objects.bulk_create(
        Version(
            proposal=came,
            made_at=_time(row["at"]),
            **{name: row[name] for name in VERSION},
        )
        for row in told["versions"]
        if row["number"] not in known
    )
    decided = set(came.decisions.values_list("version", "person"))
    Decision.objects.bulk_create(
        Decision(
            proposal=came,
            decided_at=_time(row["at"]),
            **{name: row[name] for name in DECISION},
        )
        for row in told["decisions"]
        if (row["version"], row["person"]) not in decided
    )


def _must_be_its_route(mine: Proposal | None, told: dict[str, Any]) -> None:
    """The steps are those that this organisation knows for such a request: nobody shortens the way for others."""
    known = [mine.route] if mine else []
    origin = organisation(told["origin"])
    if told["route"] not in known and told["route"] != route_for(told["kind"], origin, timezone.localdate()).plain():
        raise Refused(Code.APPROVAL_ROUTE_DIFFERS, kind=told["kind"], organisation=origin.name)


def _must_be_credible(source: str, told: dict[str, Any]) -> None:
    """Every digest fits, every decision was made where its step is, by nobody who edited, and the end by its sender."""
    way, digests, editors = Route.of(told["route"]), {}, set()
    for row in told["versions"]:
        found = frozen_digest(
            UUID(told["number"]), told["kind"], told["subject"], told["origin"], row["number"], row["payload"]
        )
        if found != row["digest"]:
            raise Refused(Code.APPROVAL_ALTERED)
        digests[row["number"]] = found
        editors.add(row["person"])
    for row in told["decisions"]:
        fits = row["place"] == way.steps[row["step"]].organisation and digests.get(row["version"]) == row["digest"]
        if not fits or editors & {row["person"], row["lender_person"]}:
            raise Refused(Code.APPROVAL_NOT_CREDIBLE, source=source)
    if source not in _may_tell(way, told) or told["turn"] != _turn(way, told):
        raise Refused(Code.APPROVAL_NOT_CREDIBLE, source=source)


def _may_tell(way: Route, told: dict[str, Any]) -> set[str]:
    """Who can be the source of a state: of a verdict, who gave the last one; of anything else, who takes part."""
    verdict = VERDICT_OF.get(told["state"])
    if verdict is None:
        return {told["origin"], *(step.organisation for step in way.steps)}
    if told["state"] == "done" and matter_of(told["kind"]).carry_out is None:
        return {told["origin"]}
    last = told["decisions"][-1] if told["decisions"] else None
    return {last["place"]} if last is not None and last["verdict"] == verdict else set()


def _turn(way: Route, told: dict[str, Any]) -> str:
    """Whose turn the told state makes it."""
    if told["state"] == "open":
        return way.steps[told["step"]].organisation
    return str(told["origin"]) if told["state"] in RUNNING else ""


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
