"""Virtual carriers of this node: made when they are issued, destroyed when their destruction is closed (K5, H3)."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.systems.custody.models import Kind


def has_drawer() -> bool:
    """Whether this node makes virtual carriers: a demonstration does, and whoever put a drawer into its folder."""
    return settings.NODE.demo or (settings.NODE.folder / IN_NODE).is_dir()


def manufactured(kind: str, count: int) -> list[str]:
    """The serials of new virtual carriers, blank. One whose issue is rolled back stays unregistered, and so unusable.

    Raises Refused(CUSTODY_ENTRY) where the node has no drawer: the serials of real cards are read from them.
    """
    if not has_drawer():
        why = Term(
            "本节点没有虚拟载体，请录入卡面序列号", "this node has no virtual carriers: read them from the cards"
        )
        raise Refused(Code.CUSTODY_ENTRY, field=Term("序列号", "Serials"), why=why)
    return _drawer().manufacture(kind, count)


def destroy_virtual(serials: Iterable[str]) -> int:
    """Destroy those of the serials that are virtual carriers of this node; how many. Again is no error."""
    if not has_drawer():
        return 0
    drawer, gone = _drawer(), set(serials)
    found = [serial for kind in Kind.values for serial in drawer.serials(kind) if serial in gone]
    for serial in found:
        drawer.destroy(serial)
    return len(found)


def virtual_serials() -> list[str]:
    """The serials of everything in the drawer."""
    return [serial for kind in Kind.values for serial in _drawer().serials(kind)] if has_drawer() else []


def _drawer() -> CarrierDrawer:
    return CarrierDrawer(settings.NODE.folder / IN_NODE)
