"""Response codes (field 39) and the refusal numbers (field 63) behind them (S4). docs/systems/transactions.md shows
the table.

The letters and digits follow ISO 8583 and the usage of the national card network; the refusal number says exactly
what was wrong. Plain Python: the switch imports it without Django.
"""

from __future__ import annotations

from sheka.foundation.refusals import Code

APPROVED = "00"
MALFUNCTION = "96"

RESPONSE_CODES: dict[Code, str] = {
    Code.MESSAGE_TOO_SHORT: "30",
    Code.MESSAGE_TYPE_INVALID: "30",
    Code.FIELD_NOT_IN_DICTIONARY: "30",
    Code.FIELD_INVALID: "30",
    Code.FIELD_MISSING: "30",
    Code.MESSAGE_TOO_LONG: "30",
    Code.MESSAGE_KIND_UNKNOWN: "12",
    Code.MESSAGE_MAC_INVALID: "A0",
    Code.BUSINESS_DATE_OUT_OF_RANGE: "12",
    Code.TERMINAL_UNKNOWN: "97",
    Code.TERMINAL_NOT_ACTIVE: "58",
    Code.INSTITUTION_NOT_ACTIVE: "03",
    Code.CURRENCY_FOREIGN: "93",
    Code.ACQUIRER_FOREIGN: "93",
    Code.CARD_NOT_KNOWN_HERE: "14",
    Code.CARD_REPORTED_LOST: "41",
    Code.CARD_IS_BLOCKED: "62",
    Code.CARD_IS_RETIRED: "54",
    Code.CARD_NOT_YET_ACTIVE: "78",
    Code.CARD_WITHOUT_ACCOUNT: "42",
    Code.BALANCE_INSUFFICIENT: "51",
    Code.ACCOUNT_IS_FROZEN: "57",
    Code.AMOUNT_NOT_POSITIVE: "13",
    Code.TRANSACTION_DIFFERS: "94",
    Code.TRANSACTION_REVERSED_BEFORE: "22",
    Code.ORIGINAL_UNKNOWN: "25",
    Code.ORIGINAL_INVALID: "30",
    Code.REVERSAL_AMOUNT: "64",
    Code.SWITCH_OUTCOME_UNKNOWN: MALFUNCTION,
    Code.SWITCH_BUSY: "91",
    Code.TERMINAL_ON_BLOCK_LIST: "58",
    Code.PSAM_ON_BLOCK_LIST: "63",
    Code.CARD_ON_BLOCK_LIST: "62",
    Code.CARD_RANGE_ON_BLOCK_LIST: "62",
    Code.KEY_VERSION_ON_BLOCK_LIST: "63",
    Code.PSAM_NOT_IN_SERVICE: "58",
    Code.PSAM_MISSING: "58",
    Code.PSAM_OF_ANOTHER_TERMINAL: "63",
    Code.BLOCK_LIST_NOT_KNOWN: "91",
    Code.MACHINE_OUT_OF_PRODUCTION: "91",
    Code.ORIGINAL_NOT_FOUND: "25",
    Code.ORIGINAL_NOT_APPROVED: "12",
    Code.ORIGINAL_OF_ANOTHER_KIND: "12",
    Code.ORIGINAL_OF_ANOTHER_ACCOUNT: "12",
    Code.PRE_AUTHORISATION_COMPLETED: "22",
    Code.PRE_AUTHORISATION_RELEASED: "22",
    Code.COMPLETION_ABOVE_HELD: "64",
    Code.ORIGINAL_FOLLOWED: "22",
    Code.REFUND_ABOVE_ORIGINAL: "64",
    Code.VOID_TOO_LATE: "21",
    Code.LIMIT_AT_ONCE: "61",
    Code.LIMIT_OF_THE_DAY: "61",
    Code.LIMIT_OF_NUMBER: "65",
    Code.LIMIT_OF_A_MINUTE: "65",
    Code.REPLACEMENT_INVALID: "64",
    Code.BATCH_OUT_OF_BALANCE: "95",
    Code.BATCH_LINE_DIFFERS: "94",
    Code.SETTLEMENT_DAY_UNKNOWN: "12",
    Code.LINE_NOT_SIGNED_ON: "77",
    Code.TERMINAL_OF_OTHER_LINE: "58",
    Code.CLOCK_SKEW: "12",
    Code.NETWORK_CODE_UNKNOWN: "12",
    Code.MESSAGE_REPLAYED: "94",
    Code.TERMINAL_LOCKED: "58",
    Code.TRANSPORT_KEY_MISSING: "57",
    Code.PIN_WRONG: "55",
    Code.PIN_BLOCK_INVALID: "99",
    Code.PIN_BLOCKED: "75",
    Code.PIN_NOT_SET: "57",
    Code.PIN_MISSING: "30",
    Code.CRYPTOGRAM_WRONG: "63",
    Code.CRYPTOGRAM_MISSING: "30",
    Code.CRYPTOGRAM_KEY_UNKNOWN: "63",
    Code.PROOF_NOT_KNOWN: "91",
    Code.OFFLINE_NUMBER_USED: "94",
    Code.TEST_TERMINAL_OTHER_CARD: "58",
    Code.TEST_CARD_ELSEWHERE: "62",
}
_BY_NUMBER = {code.value: answer for code, answer in RESPONSE_CODES.items()}


def response_code(refusal: int) -> str:
    """Field 39 for a refusal number; "00" for 0."""
    return _BY_NUMBER.get(refusal, MALFUNCTION) if refusal else APPROVED
