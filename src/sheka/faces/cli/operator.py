"""An operator at the machine of a node: commands that read or steer it open its database here, and are audited."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sheka.equipment.server.node import NodeConfig
    from sheka.office.staff.actors import Actor

DEMO = Path("var/demo/node.toml")
NodeFile = Annotated[
    Path | None, typer.Option("--config", help="节点文件 the node's file; default: SHEKA_NODE, the demo world")
]


def open_node(config: Path | None) -> NodeConfig:
    """Read the node's file and make its database ours, as the application. Raises Refused(NODE_FILE_MISSING)."""
    from sheka.equipment.server.node import VARIABLE, NodeConfig, node_environment

    node = NodeConfig.load(config or os.environ.get(VARIABLE) or DEMO)
    os.environ.update(node_environment(node))
    import django

    django.setup()
    from sheka.foundation.calendar import install_calendar
    from sheka.office.operations.calendars import working_calendar

    install_calendar(working_calendar)
    return node


def operator(node: NodeConfig) -> Actor:
    """Who types: the account of the operating system, for the node as a whole, whether it is seeded or not."""
    from sheka.office.scope import ROOT
    from sheka.office.staff.actors import Actor
    from sheka.office.staff.permissions import Permission

    return Actor(None, f"process:operator:{getpass.getuser()}", node.organisations[0], ROOT, frozenset(Permission))
