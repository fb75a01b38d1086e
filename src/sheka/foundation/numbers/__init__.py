"""The numbers of the card's world: typed values, made by parsing or by their generators (card.md §4)."""

from __future__ import annotations

from sheka.foundation.numbers.bank import Pan, pan
from sheka.foundation.numbers.card import (
    CardIdentificationCode,
    CardNumber,
    InitialisingOrganisation,
    IssuerIdentificationNumber,
    TerminalNumber,
    card_number,
    terminal_number,
)
from sheka.foundation.numbers.check_digits import card_check, luhn_check, luhn_holds, person_check
from sheka.foundation.numbers.countries import Country, countries, country, is_country
from sheka.foundation.numbers.doubts import Doubt
from sheka.foundation.numbers.masking import (
    mask_card_number,
    mask_middle,
    mask_name,
    mask_pan,
    mask_person_number,
    mask_phone,
)
from sheka.foundation.numbers.person import (
    PersonKind,
    Sex,
    SocialSecurityNumber,
    age_on,
    assigned_number,
    social_security_number,
)

__all__ = [
    "CardIdentificationCode",
    "CardNumber",
    "Country",
    "Doubt",
    "InitialisingOrganisation",
    "IssuerIdentificationNumber",
    "Pan",
    "PersonKind",
    "Sex",
    "SocialSecurityNumber",
    "TerminalNumber",
    "age_on",
    "assigned_number",
    "card_check",
    "card_number",
    "countries",
    "country",
    "is_country",
    "luhn_check",
    "luhn_holds",
    "mask_card_number",
    "mask_middle",
    "mask_name",
    "mask_pan",
    "mask_person_number",
    "mask_phone",
    "pan",
    "person_check",
    "social_security_number",
    "terminal_number",
]
