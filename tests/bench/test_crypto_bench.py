"""The crypto bench: figures keep their names and are what they say, so that a change in speed can be followed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from bench.figures import Figure, interleaved, machine_facts, paired_ratio, report

from bench import crypto
from sheka.foundation.crypto.algorithms import Algorithm

NAMES = {
    "diversify.sm4.vs_openssl",
    "diversify.sm4.vs_pyemv",
    "diversify.tdes.vs_openssl",
    "diversify.tdes.vs_pyemv",
    "kcv.sm4.vs_context",
    "kcv.tdes.vs_context",
    "sm2.sign",
    "sm2.verify",
    "sm3",
}


@pytest.fixture(scope="module")
def figures() -> Iterator[list[Figure]]:
    """Every measure of the bench, one short round each."""
    taken: list[Figure] = []
    for algorithm in Algorithm:
        taken.append(crypto.diversify_vs_openssl(algorithm, rounds=1, count=20_000))
        taken.append(crypto.diversify_vs_one_by_one(algorithm, rounds=1, count=20_000))
        taken.append(crypto.check_values_vs_context(algorithm, rounds=1, count=3_000))
    taken.extend(crypto.sm2_signatures(rounds=1, count=20))
    taken.append(crypto.sm3_digests(rounds=1, count=100))
    yield taken


def test_every_figure_is_there_under_its_name(figures: list[Figure]) -> None:
    assert {figure.name for figure in figures} == NAMES
    assert len(figures) == len(NAMES)


def test_figures_are_rates_against_a_named_baseline(figures: list[Figure]) -> None:
    """A ratio says what it was compared with; whether it is high enough is the bench's matter, not a test's."""
    for figure in figures:
        assert figure.value > 0 and figure.unit.endswith("/s")
        assert figure.ratio is not None and figure.ratio > 0
        assert figure.baseline and figure.detail
    assert all("openssl speed" in figure.baseline for figure in figures if figure.name.endswith("vs_openssl"))


def test_the_report_is_one_json_object(figures: list[Figure]) -> None:
    told = json.loads(json.dumps(report("crypto", figures)))
    assert told.keys() == {"bench", "machine", "figures"}
    assert told["bench"] == "crypto" and told["machine"]["cores"] >= 1
    for row in told["figures"]:
        assert row.keys() == {"name", "value", "unit", "ratio", "baseline", "detail"}


def test_a_report_rounds_to_what_it_knows() -> None:
    rows = report("x", [Figure("a", 1234567.0, "/s"), Figure("b", 1.0, "/s", ratio=0.97654)])["figures"]
    assert isinstance(rows, list)
    assert [(row["value"], row["ratio"]) for row in rows] == [(1235000.0, None), (1.0, 0.9765)]


def test_the_machine_is_described() -> None:
    facts = machine_facts()
    assert facts["processor"] and facts["python"] and facts["cryptography"]


def test_rounds_alternate_and_ratios_pair_neighbours() -> None:
    """A slow minute meets both sides: each round's ratio is taken by itself."""
    order: list[str] = []
    first, second = interleaved(2, lambda: order.append("ours") or 1.0, lambda: order.append("theirs") or 2.0)
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert (first, second) == ([1.0, 1.0], [2.0, 2.0])
    assert paired_ratio([1.0, 10.0, 4.0], [2.0, 20.0, 2.0]) == 0.5
