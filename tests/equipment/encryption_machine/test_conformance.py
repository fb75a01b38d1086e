"""Every verb answers what the card's formulae say, over every line and for every driver (H5, C1, K2).

A driver for another device joins `DRIVERS` in conftest.py and must pass all of this.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.encryption_machine.requests import session_input
from sheka.foundation.chip.authentication import (
    Settlement,
    card_authentication_code,
    external_cryptogram,
    internal_response,
    purchase_mac1,
    purchase_mac2,
    purchase_session_key,
    tac,
    unwrap_key_in_chip,
)
from sheka.foundation.crypto import ciphers, sm2
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

COUNTS = pytest.mark.parametrize("count", [1, 7, 230], ids=lambda count: f"n{count}")


def some(count: int, length: int) -> list[bytes]:
    return [secrets.token_bytes(length) for _ in range(count)]


def settlements(count: int) -> list[Settlement]:
    return [
        Settlement((0, 100 + number, 7 * number), bytes.fromhex("460100000001"), bytes.fromhex("20261121101500"))
        for number in range(count)
    ]


def check_hex(algorithm: Algorithm, key: bytes) -> str:
    return check_value(algorithm, key).hex().upper()


@pytest.mark.req("H5")
class TestConformance:
    """One set of demands on any encryption machine."""

    def test_it_says_what_it_is_and_claims_no_certificate_it_lacks(self, machine: Any) -> None:
        found = machine.describe()
        assert found.certificate == ""
        assert found.log_entries >= 2
        assert len(found.log_head) == 64

    def test_generated_keys_differ_and_are_found_again(self, machine: Any, name: str, algorithm: Algorithm) -> None:
        made = [machine.generate(name, algorithm, Usage.MAC, version, "460100") for version in (1, 2, 3)]
        assert len({info.check_value for info in made}) == 3
        assert len({info.ref for info in made}) == 3
        for info in made:
            assert machine.key(info.ref) == info
            assert info in machine.list_keys()
            assert len(info.check_value) == (6 if algorithm is Algorithm.TDES else 8)

    @pytest.mark.req("K2")
    def test_sub_keys_are_the_ones_that_the_levels_below_compute(
        self, machine: Any, plant: Any, name: str, algorithm: Algorithm
    ) -> None:
        root = plant(machine, algorithm, Usage.DIVERSIFY)
        province, city, card = bytes.fromhex("4600004600004600"), bytes.fromhex("4601004601004601"), some(5, 8)
        first = machine.derive(root.ref, province, name=name, owner="460000")
        second = machine.derive(first.ref, city, name=name, owner="460100", usage=Usage.AUTHENTICATE)
        provincial = diversify(algorithm, root.key, province)
        municipal = diversify(algorithm, provincial, city)
        assert first.check_value == check_hex(algorithm, provincial)
        assert second.check_value == check_hex(algorithm, municipal)
        assert second.parent == first.ref
        assert machine.check_values(first.ref, [city]) == [second.check_value]
        assert machine.check_values(second.ref, card) == [
            check_hex(algorithm, diversify(algorithm, municipal, one)) for one in card
        ]

    @COUNTS
    def test_check_values_of_diversified_keys(self, machine: Any, plant: Any, algorithm: Algorithm, count: int) -> None:
        root = plant(machine, algorithm, Usage.AUTHENTICATE)
        factors = some(count, 8)
        expected = [check_hex(algorithm, diversify(algorithm, root.key, factor)) for factor in factors]
        assert machine.check_values(root.ref, factors) == expected
        raw = machine.check_values_raw(root.ref, b"".join(factors))
        assert raw.hex().upper() == "".join(expected)

    @COUNTS
    def test_cryptograms_under_diversified_keys(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        known = plant(machine, algorithm, Usage.ENCRYPT, diversified=True)
        factors, data = some(count, 8), some(count, 48)
        expected = [
            ciphers.encrypt_ecb(algorithm, diversify(algorithm, known.key, factor), item)
            for factor, item in zip(factors, data, strict=True)
        ]
        assert machine.cryptograms(known.ref, factors, data) == expected
        assert machine.cryptograms_raw(known.ref, b"".join(data), b"".join(factors)) == b"".join(expected)

    def test_cryptograms_under_one_key_of_equal_and_of_different_lengths(
        self, machine: Any, plant: Any, algorithm: Algorithm
    ) -> None:
        known = plant(machine, algorithm, Usage.ENCRYPT)
        block = block_bytes(algorithm)
        for data in (some(50, block), [secrets.token_bytes(block * times) for times in (3, 1, 0, 2)], []):
            expected = [ciphers.encrypt_ecb(algorithm, known.key, item) for item in data]
            assert machine.cryptograms(known.ref, None, data) == expected
            assert machine.cryptograms_raw(known.ref, b"".join(data)) == b"".join(expected)

    @pytest.mark.req("C1")
    @COUNTS
    def test_internal_authentication_is_what_a_genuine_card_answers(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        irk = plant(machine, algorithm, Usage.AUTHENTICATE)
        factors, sources, process = some(count, 8), some(count, 8), some(count, 8)
        cards = [diversify(algorithm, irk.key, factor) for factor in factors]
        assert machine.internal_authentication(irk.ref, factors, sources) == [
            internal_response(algorithm, *of) for of in zip(cards, factors, sources, strict=True)
        ]
        assert machine.internal_authentication(irk.ref, factors, sources, process) == [
            internal_response(algorithm, *of) for of in zip(cards, process, sources, strict=True)
        ]

    @COUNTS
    def test_external_authentication_opens_the_card(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        for usage in (Usage.AUTHENTICATE, Usage.WRAP):
            known = plant(machine, algorithm, usage)
            factors, challenges, sources = some(count, 8), some(count, 8), some(count, 8)
            cards = [diversify(algorithm, known.key, factor) for factor in factors]
            assert machine.external_authentication(known.ref, factors, challenges) == [
                external_cryptogram(algorithm, *of) for of in zip(cards, challenges, strict=True)
            ]
            assert machine.external_authentication(known.ref, factors, challenges, sources) == [
                external_cryptogram(algorithm, *of) for of in zip(cards, challenges, sources, strict=True)
            ]

    @COUNTS
    def test_the_authentication_codes_of_identification_codes(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        irk = plant(machine, algorithm, Usage.AUTHENTICATE)
        factors, firsts = some(count, 8), some(count, 12)
        assert machine.card_authentication_codes(irk.ref, factors, firsts) == [
            card_authentication_code(algorithm, diversify(algorithm, irk.key, factor), first)
            for factor, first in zip(factors, firsts, strict=True)
        ]

    @COUNTS
    @pytest.mark.parametrize("diversified", [False, True], ids=["one-key", "card-keys"])
    def test_macs_with_and_without_vectors_of_any_length(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int, diversified: bool
    ) -> None:
        known = plant(machine, algorithm, Usage.MAC, diversified=diversified)
        factors = some(count, 8) if diversified else None
        keys = [diversify(algorithm, known.key, factor) for factor in factors or []] or [known.key] * count
        messages = [secrets.token_bytes(number % 41) for number in range(count)]
        ivs = some(count, block_bytes(algorithm))
        plain = [command_mac(algorithm, key, message) for key, message in zip(keys, messages, strict=True)]
        assert machine.macs(known.ref, factors, messages) == plain
        assert machine.macs(known.ref, factors, messages, ivs) == [
            command_mac(algorithm, *of) for of in zip(keys, messages, ivs, strict=True)
        ]
        assert machine.verify_diversified_macs(known.ref, factors, messages, plain) == [True] * count
        bad = [bytes((mac[0] ^ 1,)) + mac[1:] for mac in plain]
        assert machine.verify_diversified_macs(known.ref, factors, messages, bad) == [False] * count

    @pytest.mark.parametrize("diversified", [False, True], ids=["one-key", "card-keys"])
    def test_many_macs_of_one_length_go_side_by_side_and_are_the_same(
        self, machine: Any, plant: Any, algorithm: Algorithm, diversified: bool
    ) -> None:
        known = plant(machine, algorithm, Usage.MAC, diversified=diversified)
        count = 3000 if algorithm is Algorithm.TDES else 500
        factors = some(count, 8) if diversified else None
        messages, ivs = some(count, 13), some(count, block_bytes(algorithm))
        found = machine.macs(known.ref, factors, messages, ivs)
        for place in (0, 1, count // 2, count - 1):
            key = diversify(algorithm, known.key, factors[place]) if factors else known.key
            assert found[place] == command_mac(algorithm, key, messages[place], ivs[place])
        assert len(set(found)) > count - 3

    def test_macs_of_many_keys_and_algorithms_in_one_call(self, machine: Any, plant: Any) -> None:
        algorithms = [Algorithm[each] for each in machine.describe().algorithms]
        keys = [plant(machine, algorithm, Usage.MAC) for algorithm in algorithms * (8 // len(algorithms))]
        items = [(keys[number % 8], secrets.token_bytes(number)) for number in range(40)]
        macs = machine.macs_of([(known.ref, message) for known, message in items])
        assert macs == [command_mac(known.info.algorithm, known.key, message) for known, message in items]
        asked = [(known.ref, message, mac) for (known, message), mac in zip(items, macs, strict=True)]
        assert machine.verify_macs(asked) == [True] * 40
        assert machine.verify_macs([]) == []
        assert machine.macs_of([]) == []

    def test_a_wrong_mac_is_false_and_spoils_no_other(self, machine: Any, plant: Any, working: Algorithm) -> None:
        known = plant(machine, working, Usage.MAC)
        right = command_mac(working, known.key, b"message")
        gone = machine.generate(known.info.name, working, Usage.MAC, version=9)
        machine.destroy(gone.ref)
        wrong = [right[:3], right + b"\0", b"", right[::-1], bytes(4)]
        items = [(known.ref, b"message", mac) for mac in [*wrong, right]]
        items += [(gone.ref, b"message", right), ("0" * 32, b"message", right), (known.ref, b"Message", right)]
        assert machine.verify_macs(items) == [False] * 5 + [True] + [False] * 3

    @pytest.mark.req("K2")
    @COUNTS
    def test_keys_wrapped_for_chips_open_with_the_transport_key_only(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        roots = [plant(machine, algorithm, Usage.AUTHENTICATE), plant(machine, algorithm, Usage.MAC, diversified=True)]
        transport = plant(machine, algorithm, Usage.WRAP)
        factors, serials = some(count, 8), some(count, 8)
        for kek_factors in (serials, None):
            found = machine.wrap_for_chips([root.ref for root in roots], factors, transport.ref, kek_factors)
            assert len(found) == count
            for place, (factor, row) in enumerate(zip(factors, found, strict=True)):
                kt = diversify(algorithm, transport.key, kek_factors[place]) if kek_factors else transport.key
                for root, wrapped in zip(roots, row, strict=True):
                    card_key = diversify(algorithm, root.key, factor)
                    assert ciphers.decrypt_ecb(algorithm, kt, wrapped[:16]) == card_key
                    assert wrapped[16:] == check_value(algorithm, card_key)

    def test_write_key_data_is_taken_by_the_chip_of_that_challenge_only(
        self, machine: Any, plant: Any, algorithm: Algorithm
    ) -> None:
        irk, stk = plant(machine, algorithm, Usage.AUTHENTICATE), plant(machine, algorithm, Usage.MAC, diversified=True)
        transport = plant(machine, algorithm, Usage.WRAP)
        factor, serial, challenge = some(3, 8)
        found = machine.wrap_for_chip([irk.ref, stk.ref], [1, 2], [1, 3], factor, transport.ref, serial, challenge)
        kt = diversify(algorithm, transport.key, serial)
        opened = [unwrap_key_in_chip(algorithm, kt, challenge, data) for data in found]
        assert opened == [
            (1, 1, diversify(algorithm, irk.key, factor)),
            (2, 3, diversify(algorithm, stk.key, factor)),
        ]
        assert unwrap_key_in_chip(algorithm, kt, secrets.token_bytes(8), found[0]) is None
        psam = machine.wrap_for_chip([irk.ref], [7], [1], b"", transport.ref, b"", challenge)
        assert unwrap_key_in_chip(algorithm, transport.key, challenge, psam[0]) == (7, 1, irk.key)

    @COUNTS
    def test_a_factorys_batch_under_one_wrapping_key(
        self, machine: Any, plant: Any, algorithm: Algorithm, count: int
    ) -> None:
        root, kek = plant(machine, algorithm, Usage.AUTHENTICATE), plant(machine, algorithm, Usage.WRAP)
        factors, serial = some(count, 8), secrets.token_bytes(8)
        keys = b"".join(diversify(algorithm, root.key, factor) for factor in factors)
        raw = b"".join(factors)
        assert ciphers.decrypt_ecb(algorithm, kek.key, machine.wrap_diversified_raw(root.ref, raw, kek.ref)) == keys
        under = diversify(algorithm, kek.key, serial)
        assert (
            ciphers.decrypt_ecb(algorithm, under, machine.wrap_diversified_raw(root.ref, raw, kek.ref, serial)) == keys
        )

    @pytest.mark.req("C1")
    @COUNTS
    def test_the_medical_purchase(self, machine: Any, plant: Any, algorithm: Algorithm, count: int) -> None:
        dpk = plant(machine, algorithm, Usage.MAC, diversified=True)
        dtk = plant(machine, algorithm, Usage.MAC, diversified=True)
        factors, deals = some(count, 8), settlements(count)
        parts = list(zip(some(count, 4), some(count, 2), some(count, 4), strict=True))
        sessions = [session_input(*part) for part in parts]
        keys = [
            purchase_session_key(algorithm, diversify(algorithm, dpk.key, factor), *part)
            for factor, part in zip(factors, parts, strict=True)
        ]
        assert machine.mac1(dpk.ref, factors, sessions, deals) == [
            purchase_mac1(algorithm, *of) for of in zip(keys, deals, strict=True)
        ]
        mac2s = [purchase_mac2(algorithm, *of) for of in zip(keys, deals, strict=True)]
        assert machine.verify_mac2(dpk.ref, factors, sessions, deals, mac2s) == [True] * count
        assert machine.verify_mac2(dpk.ref, factors, sessions, deals, [bytes(4)] * count) == [False] * count
        sequences = [part[2] for part in parts]
        tacs = [
            tac(algorithm, diversify(algorithm, dtk.key, factor), deal, sequence)
            for factor, deal, sequence in zip(factors, deals, sequences, strict=True)
        ]
        assert machine.verify_tacs(dtk.ref, factors, deals, sequences, tacs) == [True] * count
        other = [Settlement((1, 2, 3), deal.terminal, deal.time) for deal in deals]
        assert machine.verify_tacs(dtk.ref, factors, other, sequences, tacs) == [False] * count

    def test_its_signatures_verify_and_are_none_of_envelopes(self, machine: Any) -> None:
        from sheka.equipment.encryption_machine.envelopes import IDENTITY

        public, signature = machine.public_key(), machine.sign(b"a file")
        assert sm2.verify(public, b"a file", signature)
        assert not sm2.verify(public, b"another", signature)
        assert not sm2.verify(public, b"a file", signature, identity=IDENTITY)

    @pytest.mark.req("K6")
    def test_a_name_and_version_never_mean_two_keys(self, machine: Any, name: str, working: Algorithm) -> None:
        info = machine.generate(name, working, Usage.MAC, 1, "460100")
        with pytest.raises(Refused) as again:
            machine.generate(name, Algorithm.TDES, Usage.WRAP, 1, "460100")
        assert again.value.code is Code.MACHINE_KEY_EXISTS
        gone = machine.destroy(info.ref)
        assert gone.destroyed
        assert machine.key(info.ref) == gone
        with pytest.raises(Refused) as reused:
            machine.generate(name, working, Usage.MAC, 1, "460100")
        assert reused.value.code is Code.MACHINE_KEY_EXISTS
        with pytest.raises(Refused) as used:
            machine.macs(info.ref, None, [b"x"])
        assert used.value.code is Code.MACHINE_KEY_DESTROYED
        with pytest.raises(Refused) as twice:
            machine.destroy(info.ref)
        assert twice.value.code is Code.MACHINE_KEY_DESTROYED
        assert machine.generate(name, working, Usage.MAC, 1, "460200").owner == "460200"

    @pytest.mark.req("K6")
    def test_every_change_is_in_the_log_with_its_caller(
        self, machine: Any, plant: Any, name: str, working: Algorithm
    ) -> None:
        import json

        before = machine.describe().log_entries
        info = machine.generate(name, working, Usage.DIVERSIFY)
        child = machine.derive(info.ref, b"46010000", owner="460100")
        machine.destroy(child.ref)
        machine.macs(plant(machine, working, Usage.MAC).ref, None, [b"no change, no entry"])
        finding = machine.verify_log()
        assert finding.ok and finding.broken_at == 0
        entries = [json.loads(line) for line in machine.log(before + 1, 50)]
        made = [(entry["verb"], entry["target"], entry["caller"]) for entry in entries if "target" in entry]
        assert made[:3] == [
            ("GENERATE", f"key-{info.ref}", "tester"),
            ("DERIVE", f"key-{child.ref}", "tester"),
            ("DESTROY", f"key-{child.ref}", "tester"),
        ]
        assert [entry["verb"] for entry in entries[3:]] in (["IMPORT_ENVELOPE"], ["REGISTER_PEER", "IMPORT_ENVELOPE"])
        assert finding.head == machine.describe().log_head == entries[-1]["hash"]
