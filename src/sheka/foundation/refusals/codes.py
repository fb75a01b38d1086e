"""The closed list of refusal numbers. A number is never used for a second meaning; a retired one stays listed.

Ranges: 1000 numbers · 1100 calendar and regions · 1200 money · 1300 states, canonical form · 2000 cryptography · 2100 chip ·
2200 card reader · 2300 encryption machine · 2400 initialisation · 2500 server · 3000 organisations, staff, permissions ·
3100 approvals · 3200 audit · 3300 messages · 4000 keys · 4100 issuance · 4200 cards · 4300 accounts · 4400 transactions ·
4500 clearing · 4600 exceptions · 9000 faces.
"""

from __future__ import annotations

from enum import Enum, unique


@unique
class Code(Enum):
    # numbers (1000)
    NUMBER_LENGTH = 1001
    # calendar and regions (1100)
    # money (1200)
    # states and canonical form (1300)
    STATE_FORBIDS = 1301
    # cryptography (2000)
    CRYPTO_KEY_LENGTH = 2001
    CRYPTO_BLOCK_LENGTH = 2002
    CRYPTO_IV_LENGTH = 2003
    CRYPTO_INPUT_LENGTH = 2004
    CRYPTO_PADDING_METHOD = 2005
    CRYPTO_PADDING = 2006
    CRYPTO_TAG = 2007
    CRYPTO_MAC_ALGORITHM = 2008
    CRYPTO_MAC_LENGTH = 2009
    CRYPTO_LIBRARY = 2020
    CRYPTO_SM2_KEY = 2021
    CRYPTO_SIGNATURE = 2022
    CRYPTO_CIPHERTEXT = 2023
    CRYPTO_EXCHANGE = 2024
    CRYPTO_CERTIFICATE_FORM = 2030
    CRYPTO_CERTIFICATE_SIGNATURE = 2031
    CRYPTO_CERTIFICATE_DATE = 2032
    CRYPTO_CERTIFICATE_CHAIN = 2033
    CRYPTO_PIN = 2040
    CRYPTO_PIN_BLOCK = 2041
    # chip (2100)
    # card reader (2200)
    READER_EXTRA_MISSING = 2201
    READER_SERVICE_ABSENT = 2202
    READER_NOT_FOUND = 2203
    READER_NO_CARD = 2204
    READER_CARD_MUTE = 2205
    READER_CARD_LOST = 2206
    READER_BUSY = 2207
    VPCD_UNREACHABLE = 2208
    READER_SERVICE_FAILED = 2209
    # encryption machine (2300)
    # initialisation (2400)
    # server (2500)
    # organisations, staff, permissions (3000)
    PERMISSION_MISSING = 3001
    ORGANISATION_OUT_OF_REACH = 3002
    ORGANISATION_UNKNOWN = 3003
    ORGANISATION_EXISTS = 3004
    ORGANISATION_NEEDS_PARENT = 3005
    STAFF_UNKNOWN = 3010
    STAFF_EXISTS = 3011
    STAFF_INACTIVE = 3012
    ROLE_UNKNOWN = 3020
    ROLE_WRONG_LEVEL = 3021
    ROLE_INCOMPATIBLE = 3022
    ROLE_SELF_GRANT = 3023
    PERMISSION_UNKNOWN = 3030
    POLICY_MISSING = 3031
    SIGN_IN_FAILED = 3040
    SIGN_IN_LOCKED = 3041
    # approvals (3100)
    APPROVAL_NEEDS_PERSON = 3101
    APPROVAL_STALE = 3102
    APPROVAL_EXPIRED = 3103
    APPROVAL_OWN = 3104
    APPROVAL_TWICE = 3105
    APPROVAL_REASON = 3106
    APPROVAL_WRONG_KIND = 3107
    # audit (3200)
    ACTION_WITHOUT_AUDIT = 3201
    # messages (3300)
    MESSAGE_ALTERED = 3301
    MESSAGE_UNKNOWN_KIND = 3302
    # keys (4000)
    # issuance (4100)
    # cards (4200)
    # accounts (4300)
    # transactions (4400)
    # clearing (4500)
    # exceptions (4600)
    # faces (9000)
