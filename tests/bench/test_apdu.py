"""The card bench: its figures keep their names and measure what they say, so that a slower reader is noticed."""

from __future__ import annotations

from pathlib import Path

from tests.support.pcsc import pcsc_turn

from bench import apdu

__all__ = ["pcsc_turn"]


def test_a_command_in_process_and_through_pcscd(pcsc_turn: None, tmp_path: Path) -> None:
    """Without TCP_QUICKACK a command through pcscd takes 40 ms and more: a card then takes half a minute to read."""
    near, far = apdu.in_process(200), apdu.pcsc(tmp_path, 200)
    assert (near.name, near.unit) == ("apdu.in_process_us", "us")
    assert (far.name, far.unit) == ("apdu.pcsc_ms", "ms")
    assert 0 < near.value < far.value * 1000
    assert far.value < 20


def test_cards_a_minute(tmp_path: Path) -> None:
    made = apdu.personalisation(tmp_path, 3)
    assert (made.name, made.unit) == ("personalise.cards_per_minute", "cards/min")
    assert made.value > 0
    assert made.detail.startswith("3 SM4 cards")
