"""The encryption machine's blocking client (H5): one authenticated line, safe for threads and for forked workers.

    machine = EncryptionMachine("unix:/run/sheka/machine.sock", "console", secret)
    root = machine.generate("IRK", Algorithm.SM4, Usage.DIVERSIFY, owner="000000")
    city = machine.derive(root.ref, factor, owner="460100", usage=Usage.AUTHENTICATE)

Every refusal of the machine is raised here as the same `Refused`. A line that broke is made anew once for a verb that
changes nothing; a verb that changes keys is never repeated: `MACHINE_UNREACHABLE` then means *unknown*, and the key
list tells.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

from sheka.equipment.encryption_machine import requests
from sheka.equipment.encryption_machine.addresses import Address, unreachable
from sheka.equipment.encryption_machine.calls import CALLS
from sheka.equipment.encryption_machine.custodian_verbs import CustodianVerbs
from sheka.equipment.encryption_machine.frames import DONE, FrameReader, Guard, frame, pack, send, unpack
from sheka.equipment.encryption_machine.handshake import greet
from sheka.equipment.encryption_machine.model import (
    CHANGING,
    KeyInfo,
    LogFinding,
    MachineInfo,
    Peer,
    PinFinding,
    Usage,
    Verb,
)
from sheka.equipment.encryption_machine.requests import MacItem, Request
from sheka.equipment.encryption_machine.wire import decode, decode_refusal, encode
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Refused

T = TypeVar("T")


class _Line:
    """One connected, authenticated socket."""

    def __init__(self, address: Address, caller: str, secret: bytes, timeout: float) -> None:
        self.socket: socket.socket = address.connect(timeout)
        try:
            self._reader = FrameReader(self.socket.recv)
            self.guard: Guard = self._log_in(address, caller, secret)
        except Refused:
            self.socket.close()
            raise
        except (OSError, EOFError) as error:
            self.socket.close()
            raise unreachable(address, error) from None
        self._number = 0

    def _log_in(self, address: Address, caller: str, secret: bytes) -> Guard:
        steps = greet(address, caller, secret)
        body = next(steps)
        while True:
            self.socket.sendall(frame(body))
            try:
                body = steps.send(self._receive())
            except StopIteration as finished:
                guard: Guard = finished.value
                return guard

    def _receive(self) -> bytes:
        body = self._reader.read()
        if body is None:
            raise EOFError("the machine closed the line")
        return body

    def ask(self, verb: Verb, payload: bytes) -> tuple[int, bytes]:
        """Send one request, return (code, payload) of its answer."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        send(self.socket, pack(self._number, verb, payload, self.guard))
        number, code, answer = unpack(self._receive(), self.guard)
        if number != self._number:
            raise EOFError("the machine answered another request")
        return code, answer


class EncryptionMachine(CustodianVerbs):
    """The machine's verbs, blocking; those of the custodians (unsealing, components, back-up) in `CustodianVerbs`.

    Parameters
    ----------
    address : `unix:/path` or `tcp:host:port`.
    caller, secret : who logs in, and the secret shared with the machine (at least 16 random bytes).
    timeout : seconds for connecting and for each answer.
    """

    def __init__(self, address: str, caller: str, secret: bytes, *, timeout: float = 30.0) -> None:
        self._address = Address.parse(address)
        self._caller, self._secret, self._timeout = caller, secret, timeout
        self._lock = threading.Lock()
        self._line: _Line | None = None
        self._process = os.getpid()

    def __enter__(self) -> EncryptionMachine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the line; the next verb opens a new one."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.socket.close()
            self._line = None

    def _do(self, request: Request[T]) -> T:
        call = CALLS[request.verb]
        payload = encode(call.takes, request.arguments)
        code, answer = self._exchange(request.verb, payload)
        if code != DONE:
            raise decode_refusal(answer)
        value: Any = decode((call.gives,), answer)[0]
        return request.finish(value)

    def _exchange(self, verb: Verb, payload: bytes) -> tuple[int, bytes]:
        with self._lock:
            if self._process != os.getpid():  # a forked worker must not share its parent's line
                self._line, self._process = None, os.getpid()
            if self._line is not None:
                try:
                    return self._line.ask(verb, payload)
                except (OSError, EOFError) as error:
                    self._drop()
                    if verb in CHANGING or isinstance(error, TimeoutError):
                        raise unreachable(self._address, error) from None
                except BaseException:
                    self._drop()
                    raise
            line = self._line = _Line(self._address, self._caller, self._secret, self._timeout)
            try:
                return line.ask(verb, payload)
            except BaseException as error:
                self._drop()
                if isinstance(error, (OSError, EOFError)):
                    raise unreachable(self._address, error) from None
                raise

    # about the machine and its keys

    def describe(self) -> MachineInfo:
        """Product, certificate, counts, log head."""
        return self._do(requests.describe())

    def list_keys(self) -> list[KeyInfo]:
        """Every key that this caller may see, destroyed ones too, oldest first."""
        return self._do(requests.list_keys())

    def key(self, ref: str) -> KeyInfo:
        """One key; `MACHINE_KEY_UNKNOWN`."""
        return self._do(requests.key(ref))

    def generate(
        self,
        name: str,
        algorithm: Algorithm,
        usage: Usage,
        version: int = 1,
        owner: str = "",
        *,
        diversified: bool = False,
        movable: bool = False,
    ) -> KeyInfo:
        """A new random key.

        `diversified` MAC and ENCRYPT keys (a terminal master key) work only through a factor, others only as they are:
        used both ways, a key would give its own sub-keys away. `MACHINE_KEY_EXISTS` when name, version and owner were
        used before, also by a destroyed key. `movable`: a DIVERSIFY key that may be loaded into a national PSAM or onto
        a key mother card; any other root stays (`MACHINE_KEY_STAYS`).
        """
        return self._do(requests.generate(name, algorithm, usage, version, owner, diversified, movable))

    def derive(
        self,
        parent_ref: str,
        factor8: bytes,
        *,
        name: str = "",
        owner: str = "",
        usage: Usage = Usage.DIVERSIFY,
        version: int | None = None,
        diversified: bool = True,
    ) -> KeyInfo:
        """The sub-key of a DIVERSIFY key for an 8-byte factor, kept inside.

        `usage` is DIVERSIFY for one more level below, or the working usage of the last level. Name, owner and version
        default to the parent's. `diversified` False makes a MAC or ENCRYPT key that is used as it is (a terminal's own
        key). The same parent and factor never get a second usage (`MACHINE_KEY_PURPOSE_FIXED`).
        """
        return self._do(requests.derive(parent_ref, factor8, name, owner, usage, version, diversified))

    def destroy(self, ref: str) -> KeyInfo:
        """Wipe a key for good; what is known about it stays."""
        return self._do(requests.destroy(ref))

    def check_values(self, ref: str, factors: Sequence[bytes]) -> list[str]:
        """Check values (upper-case hex) of the keys diversified from `ref` by each 8-byte factor."""
        return self._do(requests.check_values(ref, factors))

    def check_values_raw(self, ref: str, factors: bytes) -> bytes:
        """The same for 8·N bytes of factors: 3·N (3DES) or 4·N (SM4) bytes."""
        return self._do(requests.check_values_raw(ref, factors))

    # work

    def cryptograms(self, ref: str, factors: Sequence[bytes] | None, data: Sequence[bytes]) -> list[bytes]:
        """ECB of each item (whole blocks) under an ENCRYPT key, diversified by its factor if factors are given."""
        return self._do(requests.cryptograms(ref, factors, data))

    def cryptograms_raw(self, ref: str, data: bytes, factors: bytes | None = None) -> bytes:
        """ECB of one run of blocks; with factors (8·N bytes) the run is N equal pieces, each under its own key."""
        return self._do(requests.cryptograms_raw(ref, data, factors))

    def internal_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        sources: Sequence[bytes],
        process_factors: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        """The 8-byte answers that genuine cards give to INTERNAL AUTHENTICATE.

        `ref` is the last-level IRK (AUTHENTICATE), `factors` the card factors, `sources` 8 bytes each. The process
        factor is the first half of the command's data; left out it is the card factor.
        """
        return self._do(requests.internal_authentication(ref, factors, sources, process_factors))

    def external_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        challenges: Sequence[bytes],
        sources: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        """The 8-byte cryptograms of EXTERNAL AUTHENTICATE for the cards' 8-byte challenges (source: the challenge).

        `ref` is a last-level RK or UK (AUTHENTICATE), or a transport key (WRAP) with chip serials as factors.
        """
        return self._do(requests.external_authentication(ref, factors, challenges, sources))

    def card_authentication_codes(self, ref: str, factors: Sequence[bytes], first12s: Sequence[bytes]) -> list[bytes]:
        """The last 4 bytes of card identification codes: MACs over their first 12 under the cards' IRKs
        (AUTHENTICATE).
        """
        return self._do(requests.card_authentication_codes(ref, factors, first12s))

    def macs(
        self,
        ref: str,
        factors: Sequence[bytes] | None,
        messages: Sequence[bytes],
        ivs: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        """4-byte MACs (`command_mac`) under a MAC key; `ivs` one cipher block each, zero when left out."""
        return self._do(requests.macs(ref, factors, messages, ivs))

    def macs_of(self, items: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """4-byte MACs of (ref, message), each under its own MAC key: one call for a batch of many terminals."""
        return self._do(requests.macs_of(items))

    def verify_macs(self, items: Sequence[MacItem]) -> list[bool]:
        """Whether each (ref, message, MAC of 4 bytes) is right; compared inside in constant time.

        An item whose key is unknown or destroyed is false, so that one terminal does not stop a batch of many.
        """
        return self._do(requests.verify_macs(items))

    def verify_diversified_macs(
        self,
        ref: str,
        factors: Sequence[bytes] | None,
        messages: Sequence[bytes],
        macs: Sequence[bytes],
        ivs: Sequence[bytes] | None = None,
    ) -> list[bool]:
        """The same under one key diversified by each factor."""
        return self._do(requests.verify_diversified_macs(ref, factors, messages, macs, ivs))

    # keys for chips and factories

    def wrap_for_chips(
        self,
        refs: Sequence[str],
        factors: Sequence[bytes],
        kek_ref: str,
        kek_factors: Sequence[bytes] | None,
    ) -> list[list[bytes]]:
        """For each card: every key diversified by the card factor, ECB under its transport key, ‖ check value.

        19 bytes (3DES) or 20 (SM4) each. `kek_ref` is a WRAP key, diversified by the chip serials in `kek_factors`.
        """
        return self._do(requests.wrap_for_chips(refs, factors, kek_ref, kek_factors))

    def wrap_for_chip(
        self,
        refs: Sequence[str],
        key_ids: Sequence[int],
        versions: Sequence[int],
        factor: bytes,
        kek_ref: str,
        kek_factor: bytes,
        challenge: bytes,
    ) -> list[bytes]:
        """The WRITE KEY data (23 bytes each) of one card's keys, bound to its 8-byte challenge (online
        personalisation).
        """
        return self._do(requests.wrap_for_chip(refs, key_ids, versions, factor, kek_ref, kek_factor, challenge))

    def wrap_diversified_raw(self, ref: str, factors: bytes, kek_ref: str, kek_factor: bytes = b"") -> bytes:
        """Keys for 8·N bytes of factors, all under one WRAP key: 16·N bytes (a factory's batch)."""
        return self._do(requests.wrap_diversified_raw(ref, factors, kek_ref, kek_factor))

    # the line to institutions

    def wrap_for_line(self, ref: str, factors: Sequence[bytes], kek_ref: str) -> list[bytes]:
        """Keys of a line (LINE or PIN key, diversified by `factors`) under the WRAP key of their institution.

        Each: 16 bytes ECB ‖ check value (4 bytes SM4, 3 bytes 3DES). Both keys have the same owner and algorithm.
        """
        return self._do(requests.wrap_for_line(ref, factors, kek_ref))

    def pin_values(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        value_ref: str,
        cards: Sequence[bytes],
    ) -> list[bytes]:
        """What is kept of PINs that come as PIN blocks: 4 bytes under the card's PIN_VALUE key, empty for no PIN block.

        Parameters
        ----------
        ref, factors : the PIN key of the lines and the factor of each block's key.
        blocks : 8 bytes 3DES (ISO 9564 format 0), 16 bytes SM4 (format 4).
        accounts : 12 ASCII digits each, `pin_block.account_digits`.
        value_ref, cards : the PIN_VALUE key and the factor of each card, 8 bytes.
        """
        return self._do(requests.pin_values(ref, factors, blocks, accounts, value_ref, cards))

    def verify_pins(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        value_ref: str,
        cards: Sequence[bytes],
        values: Sequence[bytes],
    ) -> list[PinFinding]:
        """Whether each block holds the PIN of which `values` are kept; arguments as `pin_values`."""
        return self._do(requests.verify_pins(ref, factors, blocks, accounts, value_ref, cards, values))

    def translate_pins(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        zone_ref: str,
        zone_factors: Sequence[bytes],
    ) -> list[bytes]:
        """The PIN blocks for another machine: the same PINs under children of a zone key that both hold, empty for no
        PIN block. Arguments as `pin_values`; `zone_ref`, `zone_factors`: the PIN_ZONE key and a factor for each block.
        """
        return self._do(requests.translate_pins(ref, factors, blocks, accounts, zone_ref, zone_factors))

    def verify_mac1(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
        macs: Sequence[bytes],
    ) -> list[bool]:
        """Whether each MAC1 (the PSAM's proof to the card) is right; arguments as `mac1`."""
        return self._do(requests.verify_mac1(ref, factors, sessions, settlements, macs))

    # medical purchase

    def verify_tacs(
        self,
        ref: str,
        factors: Sequence[bytes],
        settlements: Sequence[Settlement],
        terminal_sequences: Sequence[bytes],
        tacs: Sequence[bytes],
    ) -> list[bool]:
        """Whether each TAC is right under the card's DTK (MAC key, diversified by the card factor)."""
        return self._do(requests.verify_tacs(ref, factors, settlements, terminal_sequences, tacs))

    def mac1(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
    ) -> list[bytes]:
        """MAC1 under the session keys of a DPK (MAC key); `sessions` from `requests.session_input`, 8 bytes each."""
        return self._do(requests.mac1(ref, factors, sessions, settlements))

    def verify_mac2(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
        macs: Sequence[bytes],
    ) -> list[bool]:
        """Whether each MAC2 (the card's proof that it debited) is right."""
        return self._do(requests.verify_mac2(ref, factors, sessions, settlements, macs))

    # between machines

    def public_key(self) -> bytes:
        """The machine's SM2 device key: 04 ‖ x ‖ y, 65 bytes."""
        return self._do(requests.public_key())

    def sign(self, message: bytes) -> bytes:
        """SM2 signature r ‖ s (64 bytes) of the device key under the default identity."""
        return self._do(requests.sign(message))

    def register_peer(self, name: str, public: bytes, owner: str = "") -> Peer:
        """Trust another machine's public key for envelopes; with `owner` for keys of that owner only.

        Compare the fingerprint with the other side first: who may register a peer decides where keys can go.
        """
        return self._do(requests.register_peer(name, public, owner))

    def peers(self) -> list[Peer]:
        """The machines registered here."""
        return self._do(requests.peers())

    def remove_peer(self, name: str) -> Peer:
        """Trust it no more."""
        return self._do(requests.remove_peer(name))

    def export_envelope(self, ref: str, recipient_public: bytes) -> bytes:
        """A key in a signed SM2 envelope for a registered peer.

        A root key made here never leaves (`MACHINE_KEY_STAYS`).
        """
        return self._do(requests.export_envelope(ref, recipient_public))

    def import_envelope(self, envelope: bytes, sender_public: bytes, *, name: str = "", owner: str = "") -> KeyInfo:
        """Take in a key from a registered peer, once. `name` and `owner`, when given, must be the envelope's."""
        return self._do(requests.import_envelope(envelope, sender_public, name, owner))

    # the machine's own log

    def verify_log(self) -> LogFinding:
        """Check the chain of the machine's log from its first entry."""
        return self._do(requests.verify_log())

    def log(self, first: int = 1, most: int = 100) -> list[str]:
        """Entries of the log as JSON lines, from number `first`."""
        return self._do(requests.log(first, most))
