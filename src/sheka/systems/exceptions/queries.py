"""Reading exception cases (S10)."""

from __future__ import annotations

from django.db.models import Manager, QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import is_partner, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.models import CaseEvent, Dispute, ExceptionCase, Reason, RuleSwitch, RuleUse
from sheka.systems.exceptions.policy import Rule, policy
from sheka.systems.exceptions.states import ENDED, RUNNING

MOST_OTHERS = 10


def cases_of(actor: Actor, *, state: str | None = None) -> QuerySet[ExceptionCase]:
    """The cases of the actor's organisation and those below it, the most urgent first."""
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    rows = ExceptionCase.objects.filter(organisation_id__in=places)
    return rows if state is None else rows.filter(state=state)


def case_numbered(number: str) -> ExceptionCase:
    """One case. Raises Refused(EXCEPTION_UNKNOWN)."""
    try:
        return ExceptionCase.objects.get(number=number)
    except ExceptionCase.DoesNotExist:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number) from None


def case_read_by(actor: Actor, number: str) -> ExceptionCase:
    """One case as this actor may read it: in reach with the right to view, or a dispute that was opened at the actor's
    own place. Raises Refused(EXCEPTION_UNKNOWN).
    """
    found = None
    if actor.may(Permission.EXCEPTION_VIEW):
        found = cases_of(actor).filter(number=number).first()
    if found is None and actor.may(Permission.EXCEPTION_DISPUTE):
        found = disputes_of(actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    return found


def disputes_of(actor: Actor) -> QuerySet[ExceptionCase]:
    """The disputes that were opened at the actor's place; of a partner all about transactions of the institution that
    it is: its own ones and those of citizens, so that it can answer and bring evidence.
    """
    rows = ExceptionCase.objects.filter(dispute__isnull=False).select_related("dispute")
    if is_partner(organisation(actor.organisation)):
        return rows.filter(institution=actor.organisation)
    return rows.filter(dispute__place=actor.organisation)


def dispute_of(case: ExceptionCase) -> Dispute | None:
    """What the dispute says, None for a case of another kind."""
    return Dispute.objects.filter(case=case).first()


def granted_so_far(case: ExceptionCase) -> int:
    """What decisions of a dispute have booked until now, in fen: opened again, it can be granted the rest."""
    return _granted(case.events)


def granted_about(case: ExceptionCase) -> int:
    """What decisions of all disputes about the same transaction have booked until now, in fen."""
    alike = {"case__organisation": case.organisation_id, "case__subject": case.subject}
    return _granted(CaseEvent.objects.filter(case__reason=Reason.DISPUTE, **alike))


def others_about(actor: Actor, case: ExceptionCase) -> list[ExceptionCase]:
    """Other cases about the same request, the latest first, for who may view cases."""
    if case.stan is None or not actor.may(Permission.EXCEPTION_VIEW):
        return []
    rows = cases_of(actor).filter(
        organisation_id=case.organisation_id,
        institution=case.institution,
        terminal=case.terminal,
        business_date=case.business_date,
        stan=case.stan,
    )
    return list(rows.exclude(pk=case.pk).order_by("-opened_at")[:MOST_OTHERS])


def running_at(actor: Actor) -> QuerySet[ExceptionCase]:
    """What runs in the actor's reach."""
    return cases_of(actor).filter(state__in=RUNNING)


def settled(organisation_code: str, item: Abnormal) -> bool:
    """Whether a case about the same item, on the same facts, ended: then the difference is explained."""
    ended = ExceptionCase.objects.filter(
        organisation_id=organisation_code, subject=item.subject, reason=item.reason.value, state__in=ENDED
    )
    sides = [(_plain(item.ours), _plain(item.theirs))]
    return any((case.ours, case.theirs) in sides for case in ended)


def is_on(rule: Rule, organisation_code: str) -> bool:
    """Whether a rule is in force in an organisation: by the policy, unless a person switched it there."""
    last = RuleSwitch.objects.filter(organisation_id=organisation_code, rule=rule.name).first()
    return rule.on if last is None else rule.on and last.on


def rules_at(organisation_code: str) -> list[tuple[Rule, bool, RuleSwitch | None]]:
    """Every rule of the policy: whether it is on here, and who switched it last."""
    last: dict[str, RuleSwitch] = {}
    for row in RuleSwitch.objects.filter(organisation_id=organisation_code).order_by("at", "pk"):
        last[row.rule] = row
    return [(rule, is_on(rule, organisation_code), last.get(rule.name)) for rule in policy().rules]


def rule_uses_of(actor: Actor) -> QuerySet[RuleUse]:
    """The log of the rules in the actor's reach, the latest first."""
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    return RuleUse.objects.filter(organisation_id__in=places).select_related("case")


def _granted(events: Manager[CaseEvent] | QuerySet[CaseEvent]) -> int:
    return sum(int(event.facts["granted"]) for event in events.filter(verb="resolve", facts__has_key="granted"))


def _plain(side: object) -> object:
    return dict(side) if isinstance(side, dict) else side
