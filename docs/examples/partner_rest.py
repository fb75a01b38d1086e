"""A partner's client of the REST interface: a purchase whose outcome is always found out. Python's own library only."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

UNKNOWN = 4430
"""The refusal number that says: the outcome is not known."""


class PartnerApi:
    """One client (id and secret from the acquiring office). `base` ends with /api/v1."""

    def __init__(self, base: str, client: str, secret: str) -> None:
        self._base, self._client, self._secret = base, client, secret
        self._token, self._ends = "", 0.0

    def pay(self, key: str, terminal: str, card_number: str, amount_fen: int) -> dict[str, Any]:
        """Pay; `key` is your own id of this payment, kept before you call: the same key never pays twice."""
        body = {"terminal": terminal, "card_number": card_number, "amount_fen": amount_fen}
        for attempt in range(3):
            status, told = self._ask("POST", "/partner/purchases", body, key)
            if status not in (0, 502, 503):
                return told  # approved, or refused with a number
            time.sleep(attempt)
        return self.status(key)

    def status(self, key: str) -> dict[str, Any]:
        """What became of it: approved, refused, unknown, not_sent."""
        return self._ask("GET", f"/partner/requests/{key}")[1]

    def take_back(self, key: str, original: str) -> dict[str, Any]:
        """Reverse a payment, whether its outcome is known or not."""
        return self._ask("POST", "/partner/reversals", {"original": original}, key)[1]

    def settle(self, key: str, terminal: str, day: str, totals: dict[str, int], after_upload: bool = False) -> str:
        """Compare a terminal's totals of a settlement day: "in_balance", "out_of_balance", or what is known of it."""
        body = {"terminal": terminal, "settlement_day": day, "totals": totals, "after_upload": after_upload}
        status, told = self._ask("POST", "/partner/settlements", body, key)
        if status in (0, 502, 503):
            told = self._ask("GET", f"/partner/settlements/{key}")[1]
        return str(told.get("state", "unknown"))

    def _ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._access()}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310 - https by `base`
        return self._send(request)

    def _access(self) -> str:
        if time.monotonic() >= self._ends:
            form = {"grant_type": "client_credentials", "client_id": self._client, "client_secret": self._secret}
            request = urllib.request.Request(f"{self._base}/token", urllib.parse.urlencode(form).encode())  # noqa: S310
            told = self._send(request)[1]
            self._token, self._ends = told["access_token"], time.monotonic() + told["expires_in"] - 30
        return self._token

    @staticmethod
    def _send(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
        """Status and body; status 0 when no answer came."""
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {"state": "unknown"}
