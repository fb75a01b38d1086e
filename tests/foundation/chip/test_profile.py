"""The layout of the notice, row by row, and that a profile which contradicts itself is never used (I4, I6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheka.foundation.chip.declarations import AccessRule, Encoding, FileKind, Owner, Purpose
from sheka.foundation.chip.profile import DEFAULT_PROFILE, CardProfile, load_profile
from sheka.foundation.refusals import Code, Refused

READ = {
    "SSSE": {"EF05": "free", "EF06": "free", "EF07": "RKSSSE", "EF08": "RKSSSE"},
    "DF01": dict.fromkeys(("EF05", "EF06", "EF07", "EF08", "EF09", "EF0A", "EF15"), "PIN or RK1DF01")
    | dict.fromkeys(("EF16", "EF17", "EF18", "EF19", "EF1A"), "free"),
    "DF02": dict.fromkeys(("EF05", "EF06", "EF07", "EF09", "EF15", "EF16"), "PIN or RK1DF02"),
    "DF03": {"EF05": "PIN or RK2DF03"}
    | dict.fromkeys(("EF06", "EF07", "EF15", "EF16", "EF17", "EF18", "EF19"), "PIN or RK1DF03"),
    "DF04": {"EF05": "PIN or RK1DF04", "EF06": "PIN and RK1DF04", "EF08": "PIN", "EF15": "PIN or RK1DF04"},
    "DF05": {"EF05": "free"},
    "DF06": {"EF05": "RK1DF06", "EF06": "RK1DF06"},
    "DF07": {"EF05": "RK1DF07", "EF06": "RK2DF07", "EF07": "RK3DF07"},
}
WRITE = {
    "SSSE": ["UKSSSE"] * 4,
    "DF01": ["UK1", "UK4", "UK2", "UK3", "UK2", "UK5", "UK6", "UK7", "UK8", "UK9", "UKA", "UKB"],
    "DF02": ["UK1", "UK2", "UK3", "UK4", "UK5", "UK6"],
    "DF03": ["UK1", "UK2", "UK3", "UK4", "UK5", "UK6", "UK7", "UK8"],
    "DF04": ["UK1", "UK2", "card", "UK2"],
    "DF05": ["UK1"],
    "DF06": ["UK1", "UK2"],
    "DF07": ["UK1", "UK2", "UK3"],
}


def test_every_file_of_the_notice_is_there_with_its_access_conditions(profile: CardProfile) -> None:
    found = {a.name: {file.name: file.read.text for file in a.files} for a in profile.applications}
    assert found == READ
    for application in profile.applications:
        suffix = "" if application.name == "SSSE" else application.name
        expected = [key if key == "card" else key + suffix for key in WRITE[application.name]]
        assert [file.write.text for file in application.files] == expected
    assert profile.file("SSSE/EF06").read_by_version["3.00"].text == "RKSSSE"


def test_identifiers(profile: CardProfile) -> None:
    assert profile.application("SSSE").aid == b"sx1.sh." + "社会保障".encode("gbk")
    aids = {a.name: a.aid.hex().upper() for a in profile.applications if a.aid and a.name != "SSSE"}
    assert aids == {
        "DF01": "D15600000500",
        "DF02": "D15600000501",
        "DF03": "D15600000502",
        "DF04": "D15600000503",
        "DF07": "D15600000504",
    }
    assert profile.application("SSSE").fid.hex() == "ddf1"
    assert all(a.fid.hex().upper() == a.name for a in profile.applications if a.name != "SSSE")
    assert profile.other_applications["financial"] == b"1PAY.SYS.DDF01"


def test_sizes_that_the_notice_names(profile: CardProfile) -> None:
    sizes = {"SSSE/EF07": 0x300, "SSSE/EF08": 0x1000, "DF01/EF16": 0x128, "DF01/EF1A": 0x128}
    assert {path: profile.file(path).size for path in sizes} == sizes
    rings = {"DF02/EF07": (0x55, 4), "DF02/EF16": (0x12, 4), "DF04/EF08": (0x1C, 30), "DF04/EF15": (0x03, 8)}
    assert {path: (profile.file(path).size, profile.file(path).records) for path in rings} == rings
    assert {f.path for f in profile.files if f.kind is FileKind.CYCLIC} == set(rings)
    assert [f.path for f in profile.files if f.kind is FileKind.FIXED] == ["DF03/EF19"]
    lengths = [slot.record_bytes for slot in profile.file("SSSE/EF05").slots]
    assert lengths == [0x12, 0x03, 0x06, 0x0E, 0x06, 0x06, 0x0B]
    assert [slot.tag for slot in profile.file("SSSE/EF06").slots] == [0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D]
    counts = {i.tag: i.count for f in profile.files for i in f.items if i.encoding is Encoding.CONSTRUCTED}
    assert counts == {0x40: 3, 0x43: 2, 0x44: 2, 0x99: 4, 0x4A: 3, 0x79: 4}


@pytest.mark.req("K2", "K3")
def test_owners_of_keys(profile: CardProfile) -> None:
    assert len(profile.keys) == 53
    assert {key.owner for key in profile.keys if key.purpose is Purpose.READ} == {Owner.MINISTRY}
    assert profile.key("IRK").owner is profile.key("STK").owner is Owner.MINISTRY
    assert {profile.key(name).owner for name in ("PUK", "BK", "LK")} == {Owner.PROVINCE}
    for name in ("UK7DF01", "UK8DF01", "UK9DF01", "UKADF01", "UKBDF01"):
        assert profile.key(name).owner in (Owner.PROVINCE, Owner.CITY)
    for file in profile.files:
        if file.extending:
            assert profile.key(str(file.write.key)).owner is not Owner.MINISTRY
    assert all(key.versions == (1, 2, 3) for key in profile.keys)


def test_our_own_choices_are_marked(profile: CardProfile) -> None:
    assert all("id" in key.local for key in profile.keys)
    assert "items" in profile.file("DF05/EF05").local
    assert all("directory_sfi" in application.local for application in profile.applications)


def test_access_rules() -> None:
    def table(text: str) -> list[bool]:
        rule = AccessRule.parse(text)
        return [rule.allows(pin_verified=pin, key_authenticated=key) for pin in (False, True) for key in (False, True)]

    assert table("free") == [True, True, True, True]
    assert table("card") == [False, False, False, False]
    assert table("PIN") == [False, False, True, True]
    assert table("RK1DF01") == [False, True, False, True]
    assert table("PIN or RK1DF01") == [False, True, True, True]
    assert table("PIN and RK1DF01") == [False, False, False, True]
    for wrong in ("", "PIN or", "RK1 or PIN", "PIN xor RK1", "PIN and RK1 and RK2"):
        with pytest.raises(ValueError, match="no access rule"):
            AccessRule.parse(wrong)


def test_factors(profile: CardProfile) -> None:
    assert profile.region_factor("460000").hex() == "4600000000000000"
    historical = bytes.fromhex("00814A46868660460000000135")
    assert profile.card_factor(historical).hex() == "8660460000000135"
    for wrong in ("46010", "46010A", "４６０１００"):
        with pytest.raises(Refused):
            profile.region_factor(wrong)
    with pytest.raises(Refused):
        profile.card_factor(historical[1:])


@pytest.mark.parametrize(
    "ask", [lambda p: p.file("DF01/EF99"), lambda p: p.key("RK9"), lambda p: p.application("DF09")]
)
def test_unknown_names_are_refused(profile: CardProfile, ask: object) -> None:
    with pytest.raises(Refused) as refusal:
        ask(profile)  # type: ignore[operator]
    assert refusal.value.code is Code.CHIP_PROFILE_UNKNOWN


BROKEN = [
    ('length = "6C", count = 2', 'length = "6D", count = 2', "parts do not fill"),
    ('record = "1C"', 'record = "1D"', "do not fill the record"),
    ('read = "PIN and RK1DF04"', 'read = "PIN and RK1DF03"', "not in DF04 or above"),
    ('read = "PIN and RK1DF04"', 'read = "PIN xor RK1DF04"', "no access rule"),
    ('write = "UK1DF04"', 'write = "UK9DF04"', "UK9DF04"),
    ('IRK = { id = "02"', 'IRK = { id = "01"', "key id declared twice"),
    ('IRK = { id = "02", purpose = "internal"', 'IRK = { id = "02", purpose = "magic"', "magic"),
    ('tag = "02", type = "an"', 'tag = "01", type = "an"', "tag in SSSE/EF05 declared twice"),
    ('tag = "02", type = "an"', 'tag = "02", type = "bcd"', "bcd"),
    ('fid = "DDF1"', 'fid = "DF01"', "FID declared twice"),
    ('fid = "DDF1"', 'fid = "DDF"', "not hexadecimal"),
    ('aid = "D15600000501"', 'aid = "D15600000500"', "AID declared twice"),
    ('name = "DF05"\nparent = "SSSE"', 'name = "DF05"\nparent = "DF06"', "declared before it"),
    ('write_pin = "80D2"', 'write_pin = "80D6"', "taken"),
    ('write_pin = "80D2"', 'write_pin = "00D2"', "class 80"),
    ('write_pin = "80D2"', 'write_pin = "8064"', "not allowed"),
    ("retry_limit = 15", "retry_limit = 16", "at most 15"),
    ("versions = [1, 2, 3]", "versions = [1, 4]", "versions are 1 to 3"),
    ("historical_bytes = 13", "historical_bytes = 12", "historical"),
    ("factor = [5, 13]", "factor = [6, 13]", "8 bytes"),
    ('log = "EF08"', 'log = "EF05"', "cyclic"),
    ('session_key = "DPK"', 'session_key = "DXK"', "no key DXK"),
    ('initial = "123456"', 'initial = "abc"', "initial PIN"),
    ('item = "specification_version"', 'item = "edition"', "no such item"),
    ('sfi = "1A"', 'sfi = "1F"', "1 to 30"),
    ('sfi = "1A"', 'sfi = "19"', "SFI in DF01 declared twice"),
    ("[atr]", "[answer]", "no section [atr]"),
    ('zh = "户籍信息"', "", "zh is missing"),
    ("[profile]", "[profile", "'['"),
    ("[keys.DF05]", "[keys.DF09]", "keys of unknown applications"),
    ('[pin]\napplication = "SSSE"', '[pin]\napplication = "DF09"', "pin: unknown application"),
    ('kind = "variable"\nzh = "医疗保险基本信息"', 'kind = "fixed"\nzh = "医疗保险基本信息"', "have one length"),
    ('kind = "transparent"\nsize = "300"', 'kind = "variable"\nsize = "300"', "no items"),
    ('tag = "79", type = "constructed"', 'tag = "79", type = "an"', "parts belong to a constructed item"),
    ('tag = "02", type = "an"', 'tag = "00", type = "an"', "tag, length or count"),
]


@pytest.mark.req("I6")
@pytest.mark.parametrize(("old", "new", "reason"), BROKEN, ids=[row[2] for row in BROKEN])
def test_a_profile_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = DEFAULT_PROFILE.read_text("utf-8")
    assert old in text
    path = tmp_path / "layout.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Refused) as refusal:
        load_profile(path)
    assert refusal.value.code is Code.CHIP_PROFILE_INVALID
    assert reason in refusal.value.text("en") or reason == "'['"


def test_a_profile_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        load_profile(tmp_path / "none.toml")
    assert refusal.value.code is Code.CHIP_PROFILE_INVALID


@pytest.mark.req("K3")
def test_an_area_can_add_its_own_application_by_its_own_profile(tmp_path: Path) -> None:
    added = """
[[applications]]
name = "DF0A"
parent = "SSSE"
fid = "DF0A"
directory_sfi = "01"
zh = "本地应用"
en = "local application"

[[applications.files]]
fid = "EF0C"
sfi = "0C"
kind = "variable"
zh = "公交"
en = "bus"
read = "free"
write = "UK1DF0A"
items = [{ tag = "F0", type = "an", length = "04", name = "line", example = "1路" }]

"""
    text = DEFAULT_PROFILE.read_text("utf-8")
    marker = "# ------------------------------------------------------------------------------------------------ keys"
    assert marker in text
    path = tmp_path / "local.toml"
    keys = '\n[keys.DF0A]\nUK1DF0A = { id = "A1", purpose = "update", owner = "city" }\n'
    path.write_text(text.replace(marker, added + marker) + keys, "utf-8")
    profile = load_profile(path)
    assert profile.file("DF0A/EF0C").items[0].name == "line"
    assert profile.key("UK1DF0A").owner is Owner.CITY
