"""The shapes of the API: unknown fields refused, money in fen, times in UTC (RFC 3339)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field

from sheka.foundation.numbers import CardNumber

Fen = Annotated[int, Field(ge=-(2**53 - 1), le=2**53 - 1, description="Money in fen (CNY 0.01), an integer.")]
Moment = Annotated[datetime, Field(description="A time in UTC, RFC 3339.")]
Code = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z-]+$")]
"""The code of an organisation."""


class Shape(Schema):
    """An object of the API. A field that is not declared is refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """What every refusal answers with: RFC 9457 (application/problem+json)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Where the refusal is described: /api/v1/refusals/{code}.")
    title: str = Field(description="The sentence of the refusal without its facts.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong, in the language of Accept-Language (zh-Hans, en).")
    instance: str = Field(description="This occurrence: urn:sheka:request:{correlation id}.")
    code: int = Field(description="The number of the refusal.")
    name: str = Field(description="The name of the refusal.")
    todo: str = Field(description="What to do next.")


def valid_card_number(text: str) -> str:
    """A card number with its check character. Raises Refused."""
    return CardNumber.parse(text).text
