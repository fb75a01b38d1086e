"""The conditions under which a carrier goes to a third party: each missing one is its own refusal (K7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.states import PASSED
from sheka.systems.custody.models import Entrustment, VendorFiling
from sheka.systems.custody.policy import rules

PLAN = "custody.security_plan"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: met, or the refusal that says what is missing. `until`: the day to which what is there is good."""

    name: str
    title: Term
    missing: Refused | None
    until: date | None = None


def conditions(row: Entrustment, today: date) -> list[Condition]:
    """All of them, in the order in which somebody fulfils them."""
    found = filing_in_force(row.organisation_id, row.party_id, row.return_by or today)
    return [
        Condition(
            "agreement",
            Term("保密协议已签署并在有效期内", "Confidentiality agreement signed and valid"),
            _refusal(Code.PARTY_AGREEMENT, row, _agreement(row, today)),
            row.agreement_valid_to,
        ),
        Condition(
            "plan",
            Term("安全方案已评审通过", "Security plan reviewed and approved"),
            _refusal(Code.PARTY_PLAN, row, _plan(row)),
        ),
        Condition(
            "supervisor",
            Term("已指定监督人", "Supervisor named"),
            _refusal(Code.PARTY_SUPERVISOR, row, _supervisor(row)),
        ),
        Condition(
            "return_date",
            Term("已约定归还日期", "Return date agreed"),
            _refusal(Code.PARTY_RETURN_DATE, row, _return_date(row, today)),
            row.return_by,
        ),
        Condition(
            "filing",
            Term("供应单位备案有效", "Filing of the supplier in force"),
            _refusal(
                Code.PARTY_FILING, row, None if found else Term("没有覆盖归还日期的有效备案", "no filing to that day")
            ),
            found.valid_to if found else None,
        ),
    ]


def must_be_fulfilled(row: Entrustment, today: date) -> None:
    """Raises Refused: PARTY_AGREEMENT, PARTY_PLAN, PARTY_SUPERVISOR, PARTY_RETURN_DATE, PARTY_FILING."""
    for condition in conditions(row, today):
        if condition.missing is not None:
            raise condition.missing


def filing_in_force(organisation: str, party: str, day: date) -> VendorFiling | None:
    """The filing of a supplier that is good to `day`."""
    rows = VendorFiling.objects.filter(organisation_id=organisation, party_id=party, valid_to__gte=day)
    return rows.order_by("-valid_to").first()


def _agreement(row: Entrustment, today: date) -> Term | None:
    last = max(today, row.return_by or today)
    if row.agreement is None or row.agreement_valid_to is None or row.agreement.state != "kept":
        return Term("没有签署的保密协议", "there is no signed confidentiality agreement")
    if row.agreement_valid_to < last:
        return Term(
            f"保密协议只到 {row.agreement_valid_to}", f"the agreement is valid to {row.agreement_valid_to} only"
        )
    return None


def _plan(row: Entrustment) -> Term | None:
    if row.plan is None or row.plan.state != "kept":
        return Term("没有安全方案", "there is no security plan")
    approvals = Proposal.objects.filter(
        kind=PLAN, organisation_id=row.organisation_id, number=row.plan_approval, state__in=PASSED
    )
    approved = approvals.first()
    if approved is None or approved.payload["plan"] != row.plan.digest or approved.digest != approved.frozen():
        return Term("安全方案尚未评审通过", "its security plan has not been approved")
    return None


def _supervisor(row: Entrustment) -> Term | None:
    if row.supervisor is None:
        return Term("没有指定监督人", "no supervisor is named")
    if not row.supervisor.is_active or row.supervisor.organisation_id != row.organisation_id:
        return Term("监督人已不在岗", "the supervisor does not serve here any more")
    return None


def _return_date(row: Entrustment, today: date) -> Term | None:
    if row.return_by is None:
        return Term("没有归还日期", "there is no return date")
    start = today if row.out_at is None else row.out_at.date()
    if row.return_by < today or row.return_by - start > rules().longest_out:
        days = rules().longest_out.days
        return Term(f"归还日期应在今天起 {days} 天内", f"the return date lies within {days} days from today")
    return None


def _refusal(code: Code, row: Entrustment, why: Term | None) -> Refused | None:
    return None if why is None else Refused(code, party=Term(row.party.name, row.party.name_en), why=why)
