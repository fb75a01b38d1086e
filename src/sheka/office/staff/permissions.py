"""The closed list of permissions and the matrix of roles, read from policy/permissions.yaml (design §2.6)."""

from __future__ import annotations

from enum import StrEnum, unique
from functools import cache

import yaml

from sheka.foundation.refusals import Code, Refused
from sheka.office.policy import policy_file


@unique
class Permission(StrEnum):
    # office
    ORGANISATION_MANAGE = "organisation.manage"
    STAFF_MANAGE = "staff.manage"
    AUDIT_READ = "audit.read"
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
    # keys
    KEY_PROPOSE = "key.propose"
    KEY_DECIDE = "key.decide"
    KEY_DISTRIBUTE = "key.distribute"
    KEY_IMPORT = "key.import"
    KEY_VIEW = "key.view"
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
    # transactions
    ACQUIRING_REGISTER = "acquiring.register"
    TRANSACTION_VIEW = "transaction.view"
    TRANSACTION_VERIFY = "transaction.verify"
    # exceptions
    EXCEPTION_VIEW = "exception.view"
    EXCEPTION_HANDLE = "exception.handle"
    # clearing
    CLEARING_SEAL = "clearing.seal"
    CLEARING_IMPORT = "clearing.import"
    CLEARING_NET = "clearing.net"
    CLEARING_VIEW = "clearing.view"


@cache
def matrix() -> dict[str, frozenset[Permission]]:
    """Role → its permissions. An unknown permission in the file stops the start: rights are never guessed."""
    found = {}
    for role, row in yaml.safe_load(policy_file("permissions.yaml").read_text("utf-8"))["roles"].items():
        try:
            found[role] = frozenset(Permission(name) for name in row["permissions"])
        except ValueError as error:
            raise Refused(Code.PERMISSION_UNKNOWN, role=role, detail=str(error)) from error
    return found


@cache
def role_levels() -> dict[str, frozenset[str]]:
    """Role → the kinds of organisation in which it can be granted."""
    rows = yaml.safe_load(policy_file("permissions.yaml").read_text("utf-8"))["roles"]
    return {role: frozenset(row["levels"]) for role, row in rows.items()}


@cache
def incompatible_pairs() -> frozenset[frozenset[str]]:
    """Pairs of roles that one person may not hold together (separation of duties)."""
    rows = yaml.safe_load(policy_file("permissions.yaml").read_text("utf-8"))["incompatible"]
    return frozenset(frozenset(pair) for pair in rows)
