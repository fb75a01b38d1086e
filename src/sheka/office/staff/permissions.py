"""The closed list of permissions and the matrix of roles, read from policy/permissions.yaml (design §2.6)."""

from __future__ import annotations

from enum import StrEnum, unique
from functools import cache
from typing import Any

import yaml

from sheka.foundation.refusals import Code, Refused, Term
from sheka.office.policy import policy_file


@unique
class Permission(StrEnum):
    # office
    ORGANISATION_MANAGE = "organisation.manage"
    ORGANISATION_VIEW = "organisation.view"
    STAFF_MANAGE = "staff.manage"
    STAFF_VIEW = "staff.view"
    SELF_MANAGE = "self.manage"
    AUDIT_READ = "audit.read"
    APPROVAL_STATUS = "approval.status"
    # documents
    DOCUMENT_KEEP = "document.keep"
    DOCUMENT_VIEW = "document.view"
    DOCUMENT_DISPOSE = "document.dispose"
    PAPER_VOID = "paper.void"
    CLIENT_MANAGE = "client.manage"
    JOB_MANAGE = "job.manage"
    SYSTEM_VIEW = "system.view"
    CALENDAR_MANAGE = "calendar.manage"
    LIST_EXPORT = "list.export"
    # work
    WORK_USE = "work.use"
    WORK_ASSIGN = "work.assign"
    # incidents
    INCIDENT_REPORT = "incident.report"
    INCIDENT_VIEW = "incident.view"
    INCIDENT_HANDLE = "incident.handle"
    INCIDENT_CLOSE = "incident.close"
    INCIDENT_PLAN = "incident.plan"
    INCIDENT_DECIDE = "incident.decide"
    # keys
    KEY_PROPOSE = "key.propose"
    KEY_DECIDE = "key.decide"
    KEY_DISTRIBUTE = "key.distribute"
    KEY_IMPORT = "key.import"
    KEY_VIEW = "key.view"
    KEY_CARRY_OUT = "key.carry_out"
    MACHINE_MANAGE = "machine.manage"
    MACHINE_VIEW = "machine.view"
    MACHINE_UNSEAL = "machine.unseal"
    # custody
    CARRIER_VIEW = "carrier.view"
    CARRIER_ORDER = "carrier.order"
    CARRIER_DECIDE = "carrier.decide"
    CARRIER_ISSUE = "carrier.issue"
    CARRIER_KEEP = "carrier.keep"
    CARRIER_TAKE = "carrier.take"
    CARRIER_FILL = "carrier.fill"
    CARRIER_COUNT = "carrier.count"
    CARRIER_WITNESS = "carrier.witness"
    CARRIER_ENTRUST = "carrier.entrust"
    CARRIER_REPORT_LOSS = "carrier.report_loss"
    # ceremonies
    CEREMONY_PLAN = "ceremony.plan"
    CEREMONY_LEAD = "ceremony.lead"
    CEREMONY_HOLD = "ceremony.hold"
    CEREMONY_WITNESS = "ceremony.witness"
    CEREMONY_VIEW = "ceremony.view"
    # issuance
    ISSUANCE_APPLY = "issuance.apply"
    ISSUANCE_EXAMINE = "issuance.examine"
    ISSUANCE_APPROVE = "issuance.approve"
    ISSUANCE_VIEW = "issuance.view"
    # cards
    PERSON_IMPORT = "person.import"
    PERSON_CHANGE = "person.change"
    CARD_TAKE_RIGHT = "card.take_right"
    CARD_ORDER = "card.order"
    CARD_PRODUCE = "card.produce"
    CARD_STOCK = "card.stock"
    CARD_HAND_OUT = "card.hand_out"
    CARD_ACTIVATE = "card.activate"
    CARD_EXAMINE = "card.examine"
    CARD_LOSS = "card.loss"
    CARD_BLOCK = "card.block"
    CARD_CANCEL = "card.cancel"
    CARD_STATE = "card.state"
    CARD_VIEW = "card.view"
    CARD_REVEAL = "card.reveal"
    EXCHANGE_APPLY = "exchange.apply"
    EXCHANGE_PAY = "exchange.pay"
    EXCHANGE_COLLECT = "exchange.collect"
    EXCHANGE_CANCEL = "exchange.cancel"
    OLD_CARD_RETURN = "old_card.return"
    OLD_CARD_RECEIVE = "old_card.receive"
    OLD_CARD_DESTROY = "old_card.destroy"
    OLD_CARD_WITNESS = "old_card.witness"
    # accounts
    ACCOUNT_OPEN = "account.open"
    ACCOUNT_DEPOSIT = "account.deposit"
    ACCOUNT_FREEZE = "account.freeze"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_FILE = "account.file"
    ACCOUNT_INTEREST = "account.interest"
    ACCOUNT_CORRECT = "account.correct"
    ACCOUNT_MOVE = "account.move"
    ACCOUNT_INHERIT = "account.inherit"
    ACCOUNT_DECIDE = "account.decide"
    LEDGER_VERIFY = "ledger.verify"
    # transactions
    ACQUIRING_VIEW = "acquiring.view"
    ACQUIRING_REGISTER = "acquiring.register"
    ACQUIRING_ACTIVATE = "acquiring.activate"
    LINE_MANAGE = "line.manage"
    TERMINAL_UNLOCK = "terminal.unlock"
    CARD_PIN = "card.pin"
    TRANSACTION_SUBMIT = "transaction.submit"
    TRANSACTION_VIEW = "transaction.view"
    TRANSACTION_VERIFY = "transaction.verify"
    PARTITION_MANAGE = "partition.manage"
    ARCHIVE_WRITE = "archive.write"
    ARCHIVE_DECIDE = "archive.decide"
    MESSAGE_VIEW = "message.view"
    MESSAGE_REVEAL = "message.reveal"
    SWITCH_VIEW = "switch.view"
    BLOCK_VIEW = "block.view"
    BLOCK_PLACE = "block.place"
    BLOCK_LIFT = "block.lift"
    # psams
    PSAM_VIEW = "psam.view"
    PSAM_LOAD = "psam.load"
    PSAM_BIND = "psam.bind"
    PSAM_KEEP = "psam.keep"
    # exceptions
    EXCEPTION_VIEW = "exception.view"
    EXCEPTION_HANDLE = "exception.handle"
    EXCEPTION_DECIDE = "exception.decide"
    EXCEPTION_DISPUTE = "exception.dispute"
    # clearing
    CLEARING_SEAL = "clearing.seal"
    CLEARING_IMPORT = "clearing.import"
    CLEARING_NET = "clearing.net"
    CLEARING_VIEW = "clearing.view"


ANY = "*"
"""In the list of incompatible roles: every other role."""


@cache
def matrix() -> dict[str, frozenset[Permission]]:
    """Role → its permissions, with those of everybody. An unknown permission in the file stops the start."""
    own = {role: _permissions(role, row["permissions"]) for role, row in _policy()["roles"].items()}
    return {role: held | everybody() for role, held in own.items()}


@cache
def everybody() -> frozenset[Permission]:
    """What an open account may do without any role."""
    return _permissions("everybody", _policy()["everybody"])


@cache
def role_levels() -> dict[str, frozenset[str]]:
    """Role → the kinds of organisation in which it can be granted."""
    return {role: frozenset(row["levels"]) for role, row in _policy()["roles"].items()}


@cache
def role_titles() -> dict[str, Term]:
    """Role → what it is called."""
    return {role: Term(*row["title"]) for role, row in _policy()["roles"].items()}


@cache
def incompatible_pairs() -> frozenset[frozenset[str]]:
    """Pairs of roles that one person may not hold together (separation of duties)."""
    roles, found = _policy()["roles"], set()
    for one, other in _policy()["incompatible"]:
        found |= {frozenset((one, each)) for each in (roles if other == ANY else (other,)) if each != one}
    return frozenset(found)


def _permissions(role: str, names: list[str]) -> frozenset[Permission]:
    """Raises Refused(PERMISSION_UNKNOWN): rights are never guessed."""
    try:
        return frozenset(Permission(name) for name in names)
    except ValueError as error:
        raise Refused(Code.PERMISSION_UNKNOWN, role=role, detail=str(error)) from error


@cache
def _policy() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(policy_file("permissions.yaml").read_text("utf-8"))
    return found
