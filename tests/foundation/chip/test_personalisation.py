"""From blank chip to card: no key in clear on the wire, no half-made card, read back as meant (H3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from sheka.foundation.chip.apdu import Command, Response
from sheka.foundation.chip.authentication import external_cryptogram, wrap_key_for_chip
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.holder import chip_image, decode_file
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.names import split_name
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.reading_back import decoded, need_same, read_back_steps
from sheka.foundation.chip.sample import CHIP_SERIAL, HISTORICAL, SampleKeys, blank_chip, sample_holder
from sheka.foundation.chip.steps import carry_out, exchange
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused


@pytest.fixture
def chip(profile: CardProfile, algorithm: Algorithm) -> Iterator[VirtualCard]:
    card = blank_chip(MemoryStorage(), profile, algorithm)
    card.power_on()
    yield card
    card.power_off()


@pytest.fixture
def keys(algorithm: Algorithm) -> SampleKeys:
    return SampleKeys(algorithm)


def sw(card: VirtualCard, command: Command | str) -> str:
    apdu = bytes.fromhex(command) if isinstance(command, str) else command.to_bytes()
    return card.transmit(apdu)[-2:].hex().upper()


def open_session(card: VirtualCard, keys: SampleKeys) -> bytes:
    challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
    cryptogram = external_cryptogram(keys.algorithm, keys.card_key("KT"), challenge)
    assert sw(card, Command(0, 0x82, 0, 0, cryptogram + challenge)) == "9000"
    return challenge


def refusal_of(call: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        call()
    return refusal.value


@pytest.mark.req("H3")
def test_a_whole_card_is_written_and_read_back(chip: VirtualCard, profile: CardProfile, keys: SampleKeys) -> None:
    holder = sample_holder(profile, keys, everything=True)
    steps = personalisation_steps(profile, holder, keys, algorithm=keys.algorithm, versions=(1, 2, 3))
    assert sum(step.name.en.startswith("write UK") for step in steps) == 3 * 34
    progress = carry_out(steps, chip.transmit)
    assert progress.done == len(steps)
    assert chip.life is Life.IN_USE
    image, read = chip_image(profile, holder), decoded(profile, progress)
    assert set(read) == {file.path for file in profile.files if file.path != "DF04/EF08"}
    assert read["SSSE/EF06"]["name"] == "张三"
    assert read["DF02/EF16"] == holder.files["DF02/EF16"]
    assert read["SSSE/EF08"] == image.files["SSSE/EF08"][0]
    for path, values in read.items():
        assert values == decode_file(profile.file(path), image.files[path])
    assert chip.power_on() == bytes.fromhex("3B6D0000") + HISTORICAL


@pytest.mark.req("H3")
def test_no_key_passes_the_wire_in_clear(chip: VirtualCard, profile: CardProfile, keys: SampleKeys) -> None:
    wire = bytearray()

    def transmit(apdu: bytes) -> bytes:
        answer = chip.transmit(apdu)
        wire.extend(apdu + b"|" + answer + b"|")
        return answer

    carry_out(personalisation_steps(profile, sample_holder(profile, keys), keys, algorithm=keys.algorithm), transmit)
    assert len(wire) > 5000
    for name in ("KT", *(key.name for key in profile.keys)):
        assert keys.card_key(name) not in wire


@pytest.mark.req("H3")
def test_the_finished_card_is_checked_through_its_read_keys(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    for version in ("3.00",):
        holder = sample_holder(profile, keys, everything=True, version=version)
        carry_out(personalisation_steps(profile, holder, keys, algorithm=keys.algorithm), chip.transmit)
        chip.power_on()

        def cryptogram(key: Any, challenge: bytes) -> bytes:
            return external_cryptogram(keys.algorithm, keys.card_key(key.name), challenge)

        image = chip_image(profile, holder)
        progress = carry_out(read_back_steps(profile, image, cryptogram), chip.transmit)
        need_same(progress)
        assert set(decoded(profile, progress)) == {f.path for f in profile.files} - {"DF04/EF06", "DF04/EF08"}


@pytest.mark.req("H3")
def test_a_chip_that_kept_something_else_is_never_ended(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    def worn(apdu: bytes) -> bytes:
        answer = chip.transmit(apdu)
        return answer.replace("张三".encode("gbk"), "张二".encode("gbk")) if apdu[1] == 0xB2 else answer

    steps = personalisation_steps(profile, sample_holder(profile, keys), keys, algorithm=keys.algorithm)
    refused = refusal_of(lambda: carry_out(steps, worn))
    assert refused.code is Code.CHIP_READ_BACK_DIFFERS
    assert "SSSE/EF06/2" in refused.text("en")
    assert chip.life is Life.BLANK


def test_a_name_with_rare_characters_reaches_the_chip_whole(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    holder = sample_holder(profile, keys)
    head, rest = split_name("欧阳𠮷㐂")
    person = {**holder.files["SSSE/EF06"], "name": head, "name_extension": rest}  # type: ignore[dict-item]
    holder = dataclasses.replace(holder, files={**holder.files, "SSSE/EF06": person})
    progress = carry_out(personalisation_steps(profile, holder, keys, algorithm=keys.algorithm), chip.transmit)
    read = decoded(profile, progress)["SSSE/EF06"]
    assert read["name"] + read["name_extension"] == "欧阳𠮷㐂"


def test_a_blank_chip_tells_its_serial_and_nothing_else_works(chip: VirtualCard, algorithm: Algorithm) -> None:
    assert chip.life is Life.BLANK
    assert chip.transmit(bytes.fromhex("80CA010100")) == CHIP_SERIAL + b"\x90\x00"
    assert chip.transmit(bytes.fromhex("80CA010200")) == bytes((0, algorithm, 0)) + b"\x90\x00"
    sw(chip, "00A4000002DDF1")
    assert sw(chip, "00A4020002EF05") == "9000"
    for apdu, status in (
        ("00B2010400", "6982"),
        ("00DC020403020133", "6982"),
        ("0020000003123456", "6901"),
        ("0088000010" + "11" * 16, "6901"),
        ("80D4000017" + "11" * 23, "6982"),
        ("80D2000003123456", "6982"),
        ("80D800000D" + "11" * 13, "6982"),
        ("80DA0000", "6982"),
        ("8050000007" + "00" * 7, "6901"),
    ):
        assert sw(chip, apdu) == status, apdu


@pytest.mark.req("H3")
def test_the_transport_key_runs_out_of_tries(chip: VirtualCard, keys: SampleKeys) -> None:
    for left in (4, 3, 2, 1, 0):
        sw(chip, "0084000008")
        assert sw(chip, "0082000010" + "00" * 16) == f"63C{left}"
        chip.power_on()
    challenge = chip.transmit(bytes.fromhex("0084000008"))[:8]
    cryptogram = external_cryptogram(keys.algorithm, keys.card_key("KT"), challenge)
    assert sw(chip, Command(0, 0x82, 0, 0, cryptogram + challenge)) == "6983"


def test_write_key_takes_only_what_was_wrapped_for_this_session(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    sw(chip, "00A4000002DDF1")
    challenge = open_session(chip, keys)
    transport, irk = keys.card_key("KT"), profile.key("IRK").key_id

    def write(data: bytes) -> str:
        return sw(chip, Command(0x80, 0xD4, 0, 0, data))

    good = wrap_key_for_chip(keys.algorithm, transport, challenge, irk, 1, bytes(16))
    assert write(good) == "9000"
    assert write(good[:-1]) == "6700"
    assert write(good[:-1] + bytes([good[-1] ^ 1])) == "9302"
    assert write(wrap_key_for_chip(keys.algorithm, bytes(16), challenge, irk, 1, bytes(16))) == "9302"
    assert write(wrap_key_for_chip(keys.algorithm, transport, bytes(8), irk, 1, bytes(16))) == "9302"
    assert write(wrap_key_for_chip(keys.algorithm, transport, challenge, 0xEE, 1, bytes(16))) == "6A88"
    assert write(wrap_key_for_chip(keys.algorithm, transport, challenge, irk, 4, bytes(16))) == "6A88"
    assert sw(chip, Command(0x80, 0xD4, 0, 1, good)) == "6A86"
    sw(chip, "00A4000002DF01")
    assert write(good) == "6A88"
    for _ in range(5):
        write(bytes(23))
    assert write(good) == "6983"


def test_commands_of_the_session_check_their_data(chip: VirtualCard, profile: CardProfile, keys: SampleKeys) -> None:
    open_session(chip, keys)
    blank = profile.atr.blank_historical.hex()
    for apdu, status in (
        ("80D20000020A00", "6A80"),
        ("80D2010003123456", "6A86"),
        ("80D2000003123456", "9000"),
        ("80D800000C" + "11" * 12, "6700"),
        ("80D800000D" + blank, "6A80"),
        ("80DA0000011A", "6700"),
        ("80DA0000", "6985"),
    ):
        assert sw(chip, apdu) == status, apdu
    sw(chip, "00A4000002DDF1")
    sw(chip, "00A4020002EF05")
    assert sw(chip, "0084000004") == "9000"
    assert sw(chip, "04DC020407020133AABBCCDD") == "6988"
    chip.power_on()
    sw(chip, "00A4000002DDF1")
    assert sw(chip, "80D2000003123456") == "6982"


@pytest.mark.req("I6")
@pytest.mark.parametrize(
    "left_out", ["write RK2DF07 v1", "write the initial PIN", "set the identity", "write SSSE/EF05/3"]
)
def test_a_half_made_card_cannot_be_ended(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys, left_out: str
) -> None:
    steps = personalisation_steps(
        profile, sample_holder(profile, keys), keys, algorithm=keys.algorithm, read_back=False
    )
    some = [step for step in steps if step.name.en != left_out]
    assert len(some) == len(steps) - 1
    refused = refusal_of(lambda: carry_out(some, chip.transmit))
    assert refused.code is Code.CHIP_STEP_REFUSED
    assert "6985" in refused.text("en")
    assert chip.life is Life.BLANK


def test_after_the_end_the_making_is_over_and_the_transport_key_hides_behind_the_issuers_key(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    storage = MemoryStorage()
    card = blank_chip(storage, profile, keys.algorithm)
    card.power_on()
    carry_out(
        personalisation_steps(profile, sample_holder(profile, keys), keys, algorithm=keys.algorithm), card.transmit
    )
    assert sw(card, "80D2000003123456") == "6901"
    assert sw(card, "80CA010100") == "6A88"
    assert sw(card, "00DC020403020133") == "6982"
    card.power_off()
    content = storage.open()
    assert CHIP_SERIAL not in content.values()
    assert [name for name, value in content.items() if value == keys.card_key("KT")] == ["rekeying key"]
    storage.close()
    card.power_on()
    assert sw(card, "00A4000002DDF1") in ("9000", "611E")
    assert sw(card, "0084000008")[-4:] == "9000"
    assert sw(card, "0082000010" + "00" * 16) == "6A88"


def test_another_algorithm_or_missing_keys_stop_before_a_key_is_written(
    chip: VirtualCard, profile: CardProfile, keys: SampleKeys
) -> None:
    other = next(a for a in Algorithm if a is not keys.algorithm)
    holder = sample_holder(profile, keys)
    wrong = personalisation_steps(profile, holder, keys, algorithm=other)
    assert refusal_of(lambda: carry_out(wrong, chip.transmit)).code is Code.CHIP_IDENTITY_MISMATCH

    class Forgetful(SampleKeys):
        def wrapped_keys(self, chip_serial: bytes, challenge: bytes, wanted: Any) -> list[bytes]:
            return super().wrapped_keys(chip_serial, challenge, wanted)[:-2]

    short = personalisation_steps(profile, holder, Forgetful(keys.algorithm), algorithm=keys.algorithm)
    refused = refusal_of(lambda: carry_out(short, chip.transmit))
    assert refused.code is Code.CHIP_KEY_MISSING
    assert "UK2DF07, UK3DF07" in refused.text("en")
    assert chip.transmit(bytes.fromhex("80CA010200"))[2] == 0


def changed(profile: CardProfile, keys: SampleKeys, **issuer: str) -> Any:
    holder = sample_holder(profile, keys)
    values = {**holder.files["SSSE/EF05"], **issuer}  # type: ignore[dict-item]
    return dataclasses.replace(holder, files={**holder.files, "SSSE/EF05": values})


def test_contradictory_or_impossible_data_never_cost_a_chip(profile: CardProfile) -> None:
    keys = SampleKeys(Algorithm.SM4)
    holder = sample_holder(profile, keys)
    mismatch = Code.CHIP_IDENTITY_MISMATCH
    cases = [
        (changed(profile, keys, identification_code="460100D1560000050000013600000000"), mismatch),
        (changed(profile, keys, identification_code="310100D1560000050000013500000000"), mismatch),
        (changed(profile, keys, identification_code="460100D1560000060000013500000000"), mismatch),
        (changed(profile, keys, identification_code=""), mismatch),
        (changed(profile, keys, identification_code="460100"), Code.CHIP_ITEM_NOT_ENCODABLE),
        (changed(profile, keys, specification_version=""), mismatch),
        (changed(profile, keys, specification_version="4.00"), Code.CHIP_ITEM_VALUE),
        (changed(profile, keys, card_number="X000000190"), Code.CHIP_ITEM_TOO_LONG),
        (changed(profile, keys, nickname="三"), Code.CHIP_ITEM_UNKNOWN),
        (dataclasses.replace(holder, historical=HISTORICAL[1:]), mismatch),
        (dataclasses.replace(holder, historical=profile.atr.blank_historical), mismatch),
        (dataclasses.replace(holder, initial_pin="12"), Code.CHIP_PIN_FORM),
        (dataclasses.replace(holder, files={**holder.files, "DF09/EF05": {}}), Code.CHIP_PROFILE_UNKNOWN),
        (dataclasses.replace(holder, files={**holder.files, "SSSE/EF08": bytes(4097)}), Code.CHIP_ITEM_TOO_LONG),
        (dataclasses.replace(holder, files={**holder.files, "SSSE/EF08": {}}), Code.CHIP_RECORD_FORM),
        (dataclasses.replace(holder, files={**holder.files, "DF01/EF05": b"x"}), Code.CHIP_RECORD_FORM),
        (dataclasses.replace(holder, files={**holder.files, "DF04/EF08": []}), Code.CHIP_RECORD_FORM),
        (dataclasses.replace(holder, files={**holder.files, "DF02/EF16": [{}] * 5}), Code.CHIP_RECORD_FORM),
        (dataclasses.replace(holder, files={"SSSE/EF06": {}}), mismatch),
    ]
    for data, code in cases:
        assert refusal_of(lambda data=data: chip_image(profile, data)).code is code


def test_the_city_may_stand_in_the_atr_instead_of_the_province(profile: CardProfile) -> None:
    keys = SampleKeys(Algorithm.SM4)
    historical = HISTORICAL[:7] + bytes.fromhex("4601") + HISTORICAL[9:]
    image = chip_image(profile, dataclasses.replace(sample_holder(profile, keys), historical=historical))
    assert image.historical == historical
    assert image.pin.hex() == "123456"


def test_a_wrong_le_is_sent_again_as_the_chip_asks(terminal: Any) -> None:
    terminal.select("SSSE/EF05")
    answer = exchange(terminal.card.transmit, Command(0x00, 0xB2, 0x07, 0x04, b"", 5))
    assert (answer.status, len(answer.data)) == (0x9000, 11)


def test_a_card_that_changed_since_it_was_made_is_noticed(terminal: Any, profile: CardProfile) -> None:
    image = chip_image(profile, sample_holder(profile, terminal.keys))
    terminal.select("DF01/EF16")
    terminal.sw(terminal.secured(Command(0x00, 0xD6, 0, 0, b"changed"), "UK7DF01"))

    def cryptogram(key: Any, challenge: bytes) -> bytes:
        return external_cryptogram(terminal.algorithm, terminal.keys.card_key(key.name), challenge)

    progress = carry_out(read_back_steps(profile, image, cryptogram), terminal.card.transmit)
    refused = refusal_of(lambda: need_same(progress))
    assert "DF01/EF16+0" in refused.text("zh-Hans")


def test_a_step_that_the_chip_refuses_is_named(profile: CardProfile) -> None:
    keys = SampleKeys(Algorithm.SM4)
    steps = personalisation_steps(profile, sample_holder(profile, keys), keys, algorithm=Algorithm.SM4)
    refused = refusal_of(lambda: carry_out(steps, lambda _: Response(status=0x6F00).to_bytes()))
    assert refused.code is Code.CHIP_STEP_REFUSED
    assert "read the chip's state: 6F00" in refused.text("en")
    assert "6F00" in refused.text("zh-Hans")
