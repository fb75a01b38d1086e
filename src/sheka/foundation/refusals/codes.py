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
    # chip (2100)
    # card reader (2200)
    # encryption machine (2300)
    # initialisation (2400)
    # server (2500)
    # organisations, staff, permissions (3000)
    PERMISSION_MISSING = 3001
    ORGANISATION_OUT_OF_REACH = 3002
    # approvals (3100)
    # audit (3200)
    ACTION_WITHOUT_AUDIT = 3201
    # messages (3300)
    # keys (4000)
    # issuance (4100)
    # cards (4200)
    # accounts (4300)
    # transactions (4400)
    # clearing (4500)
    # exceptions (4600)
    # faces (9000)
