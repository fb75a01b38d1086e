"""What every encryption machine must refuse, whoever makes it, and with which number (H5, K6).

The other half of test_conformance.py: a driver must pass both.
"""

from __future__ import annotations

from typing import Any

import pytest

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused


@pytest.mark.req("H5")
class TestConformingRefusals:
    """One set of refusals on any encryption machine."""

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"name": ""}, Code.MACHINE_KEY_NAMING),
            ({"name": "x" * 65}, Code.MACHINE_KEY_NAMING),
            ({"name": "line\nbreak"}, Code.MACHINE_KEY_NAMING),
            ({"owner": "y" * 65}, Code.MACHINE_KEY_NAMING),
            ({"version": 0}, Code.MACHINE_KEY_NAMING),
            ({"version": 256}, Code.MACHINE_KEY_NAMING),
            ({"version": 70000}, Code.MACHINE_FRAME_BAD),
            ({"algorithm": 2}, Code.MACHINE_KEY_NAMING),
            ({"usage": "EVERYTHING"}, Code.MACHINE_KEY_NAMING),
        ],
    )
    def test_badly_named_keys_are_not_made(
        self, machine: Any, name: str, change: dict[str, Any], code: Code, working: Algorithm
    ) -> None:
        given: dict[str, Any] = {"name": name, "algorithm": working, "usage": Usage.MAC, **change}
        before = machine.describe().keys
        with pytest.raises(Refused) as refusal:
            machine.generate(**given)
        assert refusal.value.code is code
        assert machine.describe().keys == before

    def test_inputs_of_wrong_length_or_number_are_refused_with_the_numbers(
        self, machine: Any, plant: Any, working: Algorithm
    ) -> None:
        irk = plant(machine, working, Usage.AUTHENTICATE)
        data = plant(machine, working, Usage.ENCRYPT)
        mac = plant(machine, Algorithm.TDES, Usage.MAC)
        root = plant(machine, working, Usage.DIVERSIFY)
        eight = bytes(range(8))
        length, count = Code.MACHINE_INPUT_LENGTH, Code.MACHINE_INPUT_COUNT
        for code, call in [
            (length, lambda: machine.check_values(irk.ref, [b"seven77"])),
            (length, lambda: machine.check_values(irk.ref, [eight, b"seven77"])),
            (length, lambda: machine.check_values(irk.ref, [b""])),
            (length, lambda: machine.cryptograms(data.ref, None, [b"not a block"])),
            (length, lambda: machine.cryptograms(data.ref, None, [bytes(16), bytes(17)])),
            (length, lambda: machine.internal_authentication(irk.ref, [eight], [b"nine bytes"])),
            (length, lambda: machine.external_authentication(irk.ref, [eight], [b"four"])),
            (length, lambda: machine.card_authentication_codes(irk.ref, [eight], [bytes(13)])),
            (length, lambda: machine.macs(mac.ref, None, [b"x"], [bytes(16)])),
            (length, lambda: machine.derive(root.ref, b"short")),
            (length, lambda: machine.wrap_diversified_raw(irk.ref, b"not eight", root.ref)),
            (count, lambda: machine.internal_authentication(irk.ref, [eight], [eight, eight])),
            (count, lambda: machine.macs(mac.ref, None, [b"x"], [])),
            (count, lambda: machine.wrap_for_chips([irk.ref], [eight], root.ref, [])),
            (count, lambda: machine.wrap_for_chip([irk.ref], [1, 2], [1], eight, root.ref, b"", eight)),
            (Code.MACHINE_FACTOR_WEAK, lambda: machine.derive(root.ref, bytes(8))),
            (Code.MACHINE_FACTOR_WEAK, lambda: machine.derive(root.ref, b"\xff" * 8)),
            (Code.MACHINE_KEY_UNKNOWN, lambda: machine.key("nothing")),
            (Code.MACHINE_KEY_UNKNOWN, lambda: machine.macs("0" * 32, None, [b"x"])),
        ]:
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code is code, refusal.value

    def test_keys_of_two_algorithms_never_go_into_one_chip(self, machine: Any, plant: Any) -> None:
        if len(machine.describe().algorithms) < 2:
            with pytest.raises(Refused) as missing:
                plant(machine, Algorithm.SM4, Usage.AUTHENTICATE)
            assert missing.value.code is Code.MACHINE_TOKEN_ALGORITHM
            return
        irk = plant(machine, Algorithm.SM4, Usage.AUTHENTICATE)
        transport = plant(machine, Algorithm.TDES, Usage.WRAP)
        eight = bytes(range(8))
        for call in (
            lambda: machine.wrap_for_chips([irk.ref], [eight], transport.ref, [eight]),
            lambda: machine.wrap_for_chip([irk.ref], [1], [1], eight, transport.ref, eight, eight),
            lambda: machine.wrap_diversified_raw(irk.ref, eight, transport.ref),
        ):
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code is Code.MACHINE_KEY_ALGORITHM
