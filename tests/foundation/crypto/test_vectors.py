"""Every published vector of an implemented group: if one fails, no other maker's card or machine understands ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sheka.foundation.crypto import emv, kcv, mac, pinblock, sm2, sm2_exchange, sm4, tdes
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify, diversify_chain, session_key_atc
from sheka.foundation.crypto.sm3 import hmac_sm3, sm3

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "crypto.json").read_text())[
    "vectors"
]

NOT_HERE = {
    "GP": "GlobalPlatform secure channels are not part of the card",
    "TR-31": "key blocks between payment machines are not part of this package yet",
    "ID": "proved by the tests of foundation.numbers",
}
"""Groups of the file without a test in this folder, and why: a group that is in neither list fails the suite."""

TDES, SM4 = Algorithm.TDES, Algorithm.SM4

Answer = bytes | dict[str, bytes]


class Inputs:
    """The inputs of a vector: `text` fields as they stand, everything else from hex."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.name = name
        self.values = values

    def __contains__(self, field: str) -> bool:
        return field in self.values

    def __getitem__(self, field: str) -> bytes:
        return bytes.fromhex(self.values[field])

    def text(self, field: str) -> str:
        return str(self.values[field])


def cmac(given: Inputs) -> Answer:
    return mac.cmac("AES" if "aes" in given.name else TDES, given["key"], given["message"])


def des(given: Inputs) -> Answer:
    return tdes.adjust_parity(given["key"])


def hmac(given: Inputs) -> Answer:
    return hmac_sm3(given["key"], given["message"])


def digest(given: Inputs) -> Answer:
    return sm3(given["message"])


def iso9797(given: Inputs) -> Answer:
    padding = int(given.values["padding"])
    if "key1" in given:
        first, second = given["key1"], given["key2"]
        assert (first[:8], second[:8]) == (first[8:], second[8:]), "two-key DES of equal halves is single DES"
        return mac.mac_iso9797(3, first[:8] + second[:8], given["message"], padding=padding)
    if "algorithm 1" in given.name:
        return mac.mac_iso9797(1, given["key"], given["message"], padding=padding, length=4)
    return mac.mac_iso9797(3, given["key"], given["message"], padding=padding)


def check_value(given: Inputs) -> Answer:
    if "AES" in given.name:
        return kcv.check_value_aes(given["key"])
    return kcv.check_value(SM4 if "SM4" in given.name else TDES, given["key"])


def pboc(given: Inputs) -> Answer:
    algorithm = SM4 if "SM4" in given.name else TDES
    if "challenge" in given:
        iv = mac.command_iv(algorithm, given["challenge"])
        return mac.command_mac(algorithm, given["key"], given["command_and_data"], iv)
    if "atc" in given:
        return session_key_atc(algorithm, given["card_key"], given["atc"])
    if "factors" in given:
        return diversify_chain(algorithm, given["root"], [bytes.fromhex(factor) for factor in given.values["factors"]])
    if "pan" in given:
        return diversify(algorithm, given["mk"], emv.account_factor(given.text("pan"), given.text("psn")))
    return diversify(algorithm, given["mk"], given["factor"])


def pin(given: Inputs) -> Answer:
    if "pan" in given:
        return pinblock.encode_format0(given.text("pin"), given.text("pan"))
    return pinblock.encode_format2(given.text("pin"))


def sm2_values(given: Inputs) -> Answer:
    if "dA" in given:
        return sm2_agreement(given)
    if "z" in given:
        return sm2.message_digest(given["z"], given["message"])
    public = b"\x04" + given["x"] + given["y"]
    if "id" in given:
        return sm2.z_value(public, given["id"])
    found = sm2.encrypt_with(public, given["message"], given["k"])
    assert found is not None
    return {"c1": found[:65], "c3": found[65:97], "c2": found[97:]}


def sm2_agreement(given: Inputs) -> Answer:
    def party(private: str, ephemeral: str, identity: str) -> sm2_exchange.Party:
        return sm2_exchange.Party(sm2.public_of(given[private]), sm2.public_of(given[ephemeral]), given[identity])

    first, second = party("dA", "rA", "id_a"), party("dB", "rB", "id_b")
    length = int(given.values["klen_bytes"])
    ours = sm2_exchange.agree("initiator", given["dA"], given["rA"], second, length=length, identity=given["id_a"])
    theirs = sm2_exchange.agree("responder", given["dB"], given["rB"], first, length=length, identity=given["id_b"])
    assert (ours.key, ours.own, ours.peer) == (theirs.key, theirs.peer, theirs.own)
    return {"K": ours.key, "S1_SB": theirs.own, "S2_SA": ours.own}


def sm4_modes(given: Inputs) -> Answer:
    key, plain = given["key"], given["plaintext"]
    if "iterations" in given:
        context = sm4.encryptor(key)
        for _round in range(int(given.values["iterations"])):
            plain = context.update(plain)
        return plain
    if "CCM" in given.name:
        sealed = sm4.encrypt_ccm(key, given["nonce"], plain, given["aad"])
        assert sm4.decrypt_ccm(key, given["nonce"], sealed, given["aad"]) == plain
        return sealed
    if "GCM" in given.name:
        sealed = sm4.encrypt_gcm(key, given["iv"], plain, given["aad"])
        assert sm4.decrypt_gcm(key, given["iv"], sealed, given["aad"]) == plain
        return sealed
    if "CBC" in given.name:
        return sm4.encrypt_cbc(key, given["iv"], plain)
    if "CTR" in given.name:
        return sm4.ctr(key, given["iv"], plain)
    return sm4.encrypt_ecb(key, plain)


def sm4_mac(given: Inputs) -> Answer:
    number = int(given.name.split("algorithm ")[1][0])
    method = given.text("padding")
    padding = 2 if method == "built-in" else int(method[-1])
    key2 = bytes.fromhex(given.values.get("key2", ""))
    return mac.mac_sm4(number, given["key1" if key2 else "key"], given["message"], key2=key2, padding=padding)


def emv_values(given: Inputs) -> Answer:
    if "imk_smc" in given:
        return emv_script(given)
    if "sk" in given:
        return emv.application_cryptogram(given["sk"], given["data"])
    if "icc_mk" in given:
        if "r" in given:
            return emv.common_session_key(given["icc_mk"], given["r"])
        derive = emv.tree_session_key if "tree" in given.name else emv.visa_session_key
        return derive(given["icc_mk"], given["atc"])
    card_key = emv.icc_master_key(given["imk"], given.text("pan"), given.text("psn"))
    if "data" not in given:
        return {"kcv2": kcv.check_value(TDES, card_key)[:2], "": card_key}
    session = emv.common_session_key(card_key, given["r"])
    arqc = emv.application_cryptogram(session, given["data"])
    key = session if "with the session key" in given.name else card_key
    return {
        "kcv2_mk": kcv.check_value(TDES, card_key)[:2],
        "kcv2_sk": kcv.check_value(TDES, session)[:2],
        "arqc": arqc,
        "arpc1": emv.response_cryptogram(key, arqc, given["arc"]),
    }


def emv_script(given: Inputs) -> Answer:
    keys = [emv.icc_master_key(given[name], given.text("pan"), given.text("psn")) for name in ("imk_smc", "imk_smi")]
    hiding, sealing = (emv.common_session_key(key, given["r"]) for key in keys)
    hidden = tdes.encrypt_ecb(hiding, pinblock.encode_format2(given.text("pin")))
    return {
        "kcv3_smc_sk": kcv.check_value(TDES, hiding),
        "kcv3_smi_sk": kcv.check_value(TDES, sealing),
        "encrypted_pin_block": hidden,
        "mac": emv.script_mac(sealing, given["command_header"] + hidden),
    }


GROUPS: dict[str, Callable[[Inputs], Answer]] = {
    "CMAC": cmac,
    "DES": des,
    "EMV": emv_values,
    "HMAC-SM3": hmac,
    "ISO9797-1": iso9797,
    "KCV": check_value,
    "PBOC": pboc,
    "PIN": pin,
    "SM2": sm2_values,
    "SM3": digest,
    "SM4": sm4_modes,
    "SM4-MAC": sm4_mac,
}

HERE = [vector for vector in VECTORS if vector["group"] in GROUPS]


@pytest.mark.req("C1")
@pytest.mark.req("K2")
@pytest.mark.parametrize("vector", HERE, ids=lambda vector: f"{vector['group']}: {vector['name']}")
def test_published_value(vector: dict[str, Any]) -> None:
    """One published value, to the last bit."""
    answer = GROUPS[vector["group"]](Inputs(vector["name"], vector["inputs"]))
    expected = vector["expected"]
    if isinstance(expected, str):
        found = answer[""] if isinstance(answer, dict) else answer
        assert found.hex() == expected
    else:
        assert isinstance(answer, dict)
        wanted = {field: value for field, value in expected.items() if value is not None}
        assert wanted, "a vector that expects nothing proves nothing"
        assert {field: answer[field].hex() for field in wanted} == wanted


def test_no_group_drops_silently() -> None:
    """A new group in the file must be implemented or named as belonging elsewhere."""
    assert {vector["group"] for vector in VECTORS} == GROUPS.keys() | NOT_HERE.keys()
    assert not GROUPS.keys() & NOT_HERE.keys()
    assert len(HERE) == sum(vector["group"] not in NOT_HERE for vector in VECTORS) == 87
