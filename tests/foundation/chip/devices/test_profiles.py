"""A profile of a PSAM or carrier that does not hold together is refused with its place (I4, K5, K8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.foundation.chip.devices.profile import PROFILES, DeviceKind, carrier_profile, device_profile, psam_profile
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.refusals import Code, Refused

PSAM, CARRIER = "psam.toml", "transmission_key_card.toml"


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (PSAM, ('atr = "3B6A', 'atr = "3B6B'), "ATR"),
        (PSAM, ('serial_prefix = "534801"', 'serial_prefix = "5348AA"'), "serial_prefix"),
        (PSAM, ('delivery_key = "801A"', 'delivery_key = "001A"'), "delivery_key"),
        (PSAM, ('write_key = "80D4"', 'write_key = "80CA"'), "one instruction byte of its own"),
        (PSAM, ('mac = "05"', 'mac = "00"'), "modes"),
        (PSAM, ('purchase = "DPK"', 'purchase = "DTK"'), "purchase"),
        (PSAM, ('"IRK", ', '"IRK", "IRK", '), "key id"),
        (PSAM, ('kind = "psam"', 'kind = "purse"'), "kind"),
        (CARRIER, ('initial = "000000"', 'initial = "0000"'), "initial"),
        (CARRIER, ("files = 200", "files = 255"), "254 files"),
        (CARRIER, ("retry_limit = 3 ", "retry_limit = 16"), "retry limit"),
    ],
)
def test_a_profile_that_does_not_hold_is_refused(tmp_path: Path, name: str, change: tuple[str, str], reason: str):
    for file in (name, "ld_t_32_v2.toml"):
        (tmp_path / file).write_text((PROFILES / file).read_text("utf-8"), "utf-8")
    text = (PROFILES / name).read_text("utf-8")
    assert change[0] in text
    (tmp_path / name).write_text(text.replace(*change), "utf-8")
    with pytest.raises(Refused) as refusal:
        if name == PSAM:
            psam_profile(tmp_path / PSAM)
        else:
            carrier_profile(DeviceKind.TRANSMISSION_KEY_CARD, tmp_path)
    assert refusal.value.code is Code.CHIP_PROFILE_INVALID
    assert reason in refusal.value.text("en")


def test_serials_end_and_kinds_do_not_mix(psam_in, carrier_in):
    profile = device_profile(DeviceKind.PSAM)
    assert profile.serial(99999999999999).hex() == "534801" + "9" * 14
    with pytest.raises(Refused):
        profile.serial(100000000000000)
    storage = MemoryStorage()
    psam_in(storage).chip.power_off()
    from sheka.foundation.chip.devices.carrier import VirtualKeyCarrier

    with pytest.raises(Refused) as refusal:
        VirtualKeyCarrier(storage, carrier_profile(DeviceKind.KEY_MOTHER_CARD)).power_on()
    assert refusal.value.code is Code.CHIP_PROFILE_MISMATCH
    assert profile.key("RK1DF01").key_id == 0x1C
    with pytest.raises(Refused):
        profile.key("DTK")


def test_what_nothing_public_fixes_is_marked_local():
    import tomllib

    for kind in DeviceKind:
        rows = tomllib.loads((PROFILES / f"{kind}.toml").read_text("utf-8"))
        marked = {name for name, row in rows.items() if "local" in row}
        assert marked >= {"device", "data_objects", "instructions"}
