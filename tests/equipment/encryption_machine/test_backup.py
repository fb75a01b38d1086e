"""A back-up opens with its shares in an empty machine, and knows what was destroyed (K6)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.custodians import Custodian, Local, present, share_out

from sheka.equipment.encryption_machine import vault
from sheka.equipment.encryption_machine.model import Verb
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.refusals import Code, Refused


def refused(code: Code, work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.code is code
    return refusal.value


def generate(machine: Local, name: str) -> Any:
    return machine.ask(Verb.GENERATE, name, 3, "MAC", 1, "460100", 0)


def mac(machine: Local, ref: str) -> bytes:
    found: bytes = machine.ask(Verb.MACS, ref, None, Batch.of([b"m"]), None).items()[0]
    return found


def back_up(machine: Local, threshold: int = 2, holders: int = 3) -> tuple[bytes, list[Custodian]]:
    people = [Custodian() for _ in range(holders)]
    content, shares = machine.back_up(threshold, [one.public for one in people])
    for person, sealed in zip(people, shares, strict=True):
        person.receive(sealed)
    return content, people


@pytest.mark.req("K6")
def test_a_restored_machine_has_the_keys_and_knows_the_destroyed_ones(local: Callable[..., Local]) -> None:
    machine = local(b"s" * 32)
    kept, gone, later = (generate(machine, name) for name in ("kept", "gone", "later"))
    peer = machine.ask(Verb.REGISTER_PEER, "peer", machine.ask(Verb.PUBLIC_KEY), "")
    machine.ask(Verb.DESTROY, gone.ref)
    content, people = back_up(machine)
    told = json.loads(content.splitlines()[1])
    info, before = machine.info, mac(machine, kept.ref)
    assert (told["log_head"], told["log_entries"], told["fingerprint"]) == (
        info.log_head,
        info.log_entries,
        info.fingerprint,
    )
    machine.ask(Verb.DESTROY, later.ref)
    machine.machine.close()

    other = local(place="b")
    progress = other.restore(content)
    assert (progress.needed, progress.sealed) == (2, True)
    present(other, 2, people[1].text)
    assert not present(other, 3, people[2].text).sealed
    found = {one.name: one for one in other.ask(Verb.LIST_KEYS)}
    assert found == {one.name: one for one in (kept, other.ask(Verb.KEY, gone.ref), later)}
    assert found["gone"].destroyed
    assert not found["later"].destroyed  # the back-up is older than its destruction: the log head shows it
    refused(Code.MACHINE_KEY_DESTROYED, lambda: mac(other, gone.ref))
    assert mac(other, kept.ref) == before
    assert other.ask(Verb.PEERS) == [peer]
    assert other.info.fingerprint == info.fingerprint
    restored = other.log()[-1]
    assert restored["verb"] == "RESTORE"
    assert (restored["facts"]["log_head"], restored["facts"]["came"]) == (info.log_head, [2, 3])
    assert other.ask(Verb.VERIFY_LOG).ok
    other.restart()
    present(other, 1, people[0].text)  # the holders of the back-up's shares open it until it is shared out anew
    assert not present(other, 2, people[1].text).sealed
    share_out(other, 2, 2)
    assert mac(other, kept.ref) == before


@pytest.mark.req("K6")
def test_the_file_alone_or_with_one_share_gives_nothing(local: Callable[..., Local]) -> None:
    machine = local(b"s" * 32)
    info = generate(machine, "key")
    content, people = back_up(machine)
    for word in (info.name.encode(), info.ref.encode(), b"AAAA-secret"):
        assert word not in content
    other = local(place="b")
    other.restore(content)
    present(other, 1, people[0].text)
    refused(Code.MACHINE_SEALED, lambda: other.ask(Verb.LIST_KEYS))
    other.restart()
    assert other.info.threshold == 0  # nothing of it stayed
    assert sorted(path.name for path in other.folder.iterdir()) == ["lock", "sealed.jsonl"]


@pytest.mark.req("K6")
@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: b"x" + content,
        lambda content: content[:200],
        lambda content: content.replace(b'"threshold":2', b'"threshold":1'),
        lambda content: content.replace(b'"log_head"', b'"log_tail"'),
        lambda content: content.replace(b'{"fing', b'["fing'),
    ],
    ids=["empty", "other form", "cut off", "threshold", "no log head", "no JSON"],
)
def test_a_back_up_that_was_changed_is_refused_at_once(
    local: Callable[..., Local], change: Callable[[bytes], bytes]
) -> None:
    machine = local(b"s" * 32)
    content, _ = back_up(machine)
    other = local(place="b")
    refused(Code.MACHINE_BACKUP_BAD, lambda: other.restore(change(content)))
    assert other.info.threshold == 0


@pytest.mark.req("K6")
@pytest.mark.parametrize("where", ["head", "body"])
def test_a_back_up_changed_under_its_seal_restores_nothing(local: Callable[..., Local], where: str) -> None:
    machine = local(b"s" * 32)
    generate(machine, "key")
    content, people = back_up(machine)
    if where == "body":
        content = content[:-1] + bytes((content[-1] ^ 1,))
    else:
        made = json.loads(content.splitlines()[1])["made"].encode()
        content = content.replace(made, b"2020-01-01T00:00:00Z")
    other = local(place="b")
    other.restore(content)
    present(other, 1, people[0].text)
    refused(Code.MACHINE_BACKUP_BAD, lambda: present(other, 2, people[1].text))
    other.restart()
    assert other.info.threshold == 0


def test_a_back_up_restores_into_an_empty_machine_only(local: Callable[..., Local]) -> None:
    machine = local()
    share_out(machine, 2, 2)
    content, _ = back_up(machine)
    refused(Code.MACHINE_NOT_NEW, lambda: machine.restore(content))
    machine.seal()
    refused(Code.MACHINE_NOT_NEW, lambda: machine.restore(content))
    refused(Code.MACHINE_SEALED, lambda: back_up(machine))
    other = local(place="b")
    refused(Code.MACHINE_SHARES_NONE, lambda: present(other, 1, b""))
    other.restore(content)
    other.restore(content)  # another copy, or again after a wrong one
    refused(Code.MACHINE_SEALED, lambda: share_out(other, 2, 2))


class PowerCut(BaseException):
    """What follows did not happen."""


@pytest.mark.req("K6")
@pytest.mark.parametrize("step", range(1, 9))
def test_a_power_cut_while_restoring_leaves_nothing_or_everything(
    local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    machine = local(b"s" * 32)
    kept = generate(machine, "kept")
    content, people = back_up(machine, 2, 2)
    other = local(place="b")
    other.restore(content)
    present(other, 1, people[0].text)
    written = 0

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            nonlocal written
            written += 1
            if written == step:
                raise PowerCut
            return work(*given)

        return run

    with monkeypatch.context() as patch:
        for name in ("write_durable", "overwrite", "put_in_place"):
            patch.setattr(vault, name, counted(getattr(vault, name)))
        patch.setattr(vault.Vault, "_clear", lambda self: None)  # the power was gone: nobody cleared away
        with contextlib.suppress(PowerCut):
            present(other, 2, people[1].text)
    other.restart()
    if other.info.threshold:
        for holder in (1, 2):
            present(other, holder, people[holder - 1].text)
    else:
        other.restore(content)
        for holder in (1, 2):
            present(other, holder, people[holder - 1].text)
    assert other.ask(Verb.LIST_KEYS) == [kept]
    assert other.ask(Verb.VERIFY_LOG).ok
