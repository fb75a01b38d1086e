"""What the switch is told: from the node's file (SHEKA_NODE), or from arguments and the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from pathlib import Path

from sheka.equipment.server.node import VARIABLE, NodeConfig
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.limits_policy import LimitsPolicy, limits_policy
from sheka.systems.transactions.line_policy import LinePolicy, line_policy
from sheka.systems.transactions.psam_policy import psam_policy
from sheka.systems.transactions.switch.tls import Certificates, TlsFiles

SECRET_VARIABLE = "SHEKA_MACHINE_SECRET"  # noqa: S105 - the name of a variable
CALLER = "switch"


@dataclass(frozen=True, slots=True)
class MachineAddress:
    """Where an organisation's encryption machine answers, and the switch's secret there (32 bytes)."""

    address: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    """Times in seconds, sizes in bytes. `machines` by organisation code; `psam_required`: first letters of the codes of
    institutions whose terminals must hold a PSAM; `known_for`: how old the knowledge of the block list may be;
    `inside`: where the node's own processes speak without certificates, beside TLS; `handshake`: how long TLS may take
    to begin; `tls`: the files of the line's certificate, None: in clear, on this machine only; `share_port`: several
    switches listen on one port; `line`: the policy of the line; `machine_patience`: how long a machine may take;
    `share`: waiting requests of a line that are taken however many wait in all.
    `journal`: messages that may wait to be kept, 0 for no journal; `root`: the organisation to which belongs what is
    nobody's; `demo`: the demonstration's machines work without a certificate (K4).
    """

    host: str
    port: int
    dsn: str = field(repr=False)
    machines: dict[str, MachineAddress]
    lanes: int = 2
    batch: int = 256
    crowd: int = 12
    connections: int = 8000
    handshake: float = 5.0
    idle: float = 600.0
    partial_message: float = 10.0
    unread: int = 256 * 1024
    in_flight: int = 512
    queued: int = 20000
    share: int = 16
    patience: float = 20.0
    machine_patience: float = 10.0
    stop: float = 20.0
    days_back: int = 1
    days_ahead: int = 1
    reversal_days_back: int = 30
    known_for: float = 4.0
    journal: int = 16_000
    demo: bool = False
    root: str = ""
    share_port: bool = False
    tls: TlsFiles | None = None
    inside: Path | None = None
    line: LinePolicy = field(default_factory=lambda: line_policy(True))
    psam_required: frozenset[str] = field(default_factory=lambda: psam_policy().required)
    limits: LimitsPolicy = field(default_factory=limits_policy)

    @classmethod
    def of_node(cls, node: NodeConfig) -> SwitchSettings:
        """The settings of a node."""
        machines = {
            machine.organisation: MachineAddress(
                node.machine_address(machine.name), node.machine_secret(machine.name, CALLER)
            )
            for machine in node.machines
        }
        return cls(
            node.switch.host,
            node.switch.port,
            node.dsn("switch"),
            machines,
            demo=node.demo,
            root=node.organisations[0],
            share_port=node.switch.processes > 1,
            tls=None if node.switch.tls is None else TlsFiles(*node.line_files),
            inside=node.inside_line,
            line=line_policy(node.demo),
        )

    def certificates(self) -> Certificates | None:
        """The certificates of the line, None when it needs none.

        Raises Refused: LINE_NEEDS_TLS, LINE_CERTIFICATE_UNUSABLE.
        """
        if self.tls is not None:
            return Certificates(self.tls)
        if not _on_this_machine(self.host):
            raise Refused(Code.LINE_NEEDS_TLS, host=self.host)
        return None


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings(argv: list[str]) -> SwitchSettings:
    """From the command line. Raises Refused when the node's file is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m sheka.systems.transactions.switch", description=__doc__)
    parser.add_argument("--node", type=Path, help=f"the node's file; default: the variable {VARIABLE}")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument("--dsn", help="database address, instead of the node's")
    parser.add_argument(
        "--machine",
        action="append",
        default=[],
        metavar="ORGANISATION=ADDRESS",
        help=f"encryption machine, instead of the node's; its secret in hexadecimal stands in {SECRET_VARIABLE}",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"one of {', '.join(LIMITS)}; may be repeated",
    )
    parser.add_argument("--share-port", action="store_true", help="other switches listen on the same port")
    given = parser.parse_args(argv)
    if given.dsn and given.machine:
        secret = bytes.fromhex(os.environ[SECRET_VARIABLE])
        pairs = (text.split("=", 1) for text in given.machine)
        machines = {organisation: MachineAddress(address, secret) for organisation, address in pairs}
        settings = SwitchSettings("127.0.0.1", 0, given.dsn, machines, root=next(iter(machines)))
    else:
        settings = SwitchSettings.of_node(NodeConfig.load(given.node))
    changes: dict[str, object] = {}
    for text in given.limit:
        name, _, number = text.partition("=")
        if name not in LIMITS:
            parser.error(f"--limit {name}: not one of {', '.join(LIMITS)}")
        changes[name] = LIMITS[name](number)
    port = settings.port if given.port is None else given.port
    shared = given.share_port or settings.share_port
    return replace(settings, host=given.host or settings.host, port=port, share_port=shared, **changes)


LIMITS: dict[str, Callable[[str], object]] = {
    one.name: float if one.type == "float" else int for one in fields(SwitchSettings) if one.type in ("int", "float")
}
LIMITS.pop("port")
