"""The bench of the token's driver: its figures keep their names and are what they say (H5)."""

from __future__ import annotations

import pytest
from tests.support.softhsm import MODULE

from bench import pkcs11

NAMES = [
    "machine.pkcs11.tdes.diversify",
    "machine.pkcs11.tdes.diversify_level",
    "machine.pkcs11.tdes.derive",
    "machine.pkcs11.tdes.mac_p50",
]


@pytest.mark.req("H5")
def test_every_figure_is_there_and_the_ratio_names_its_baseline() -> None:
    with pkcs11.started(MODULE) as machine:
        figures = pkcs11.measure(machine, 1, 0.01, 500)
    assert [figure.name for figure in figures] == NAMES
    assert all(figure.value > 0 and figure.detail for figure in figures)
    assert [figure.ratio is not None for figure in figures] == [True, False, False, False]
    assert "openssl speed" in figures[0].baseline


def test_without_softhsm_there_are_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkcs11, "MODULES", ("/no/module.so",))
    assert pkcs11.run() == []
