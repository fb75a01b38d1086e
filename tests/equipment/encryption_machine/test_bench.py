"""The machine's bench: its figures keep their names and are what they say (H5)."""

from __future__ import annotations

import pytest

from bench import machine
from sheka.foundation.crypto.algorithms import Algorithm

NAMES = {
    "machine.sm4.vs_openssl",
    "machine.sm4.diversify_wrapped",
    "machine.sm4.check_values",
    "machine.tdes.vs_openssl",
    "machine.tdes.diversify_wrapped",
    "machine.tdes.check_values",
    "machine.mac_verify",
    "machine.mac_verify.terminals",
    "machine.round_trip_p50",
    "machine.pipelined",
    "machine.personalisation.30x100k",
    "machine.personalisation.30x100k.memory",
}


@pytest.mark.req("H5")
def test_every_figure_is_there_and_the_ratios_name_their_baseline() -> None:
    with machine.started(rounds=1, seconds=0.01) as bench:
        figures = [
            *(figure for algorithm in Algorithm for figure in machine.against_openssl(bench, algorithm, 500)),
            *(machine.check_values(bench, algorithm, 500) for algorithm in Algorithm),
            *machine.mac_verifications(bench),
            machine.round_trip(bench, 200),
            machine.pipelined(bench),
            *machine.personalisation(bench, 150, 100),
        ]
    assert {figure.name for figure in figures} == NAMES
    assert len(figures) == len(NAMES)
    for figure in figures:
        assert figure.value > 0 and figure.detail
        compared = figure.name.endswith(("vs_openssl", "diversify_wrapped"))
        assert (figure.ratio is not None) == compared
        assert ("openssl speed" in figure.baseline) == compared
