"""The drawer of virtual key carrier cards and PSAMs (K5, K8): one file each, found by kind and serial.

    maker/                               the maker's master keys
    <kind>/<serial>.chip                 transmission_key_card, key_mother_card, master_key_card, psam
    destroyed/<serial>.chip              renamed away first, then overwritten: a crash leaves no half destroyed card

A serial has 20 digits and is never given twice. Who holds a carrier, and where, is custody's to know, not the drawer's.
"""

from __future__ import annotations

import re
from pathlib import Path

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.encryption_machine.files import sync_folder
from sheka.equipment.initialisation.chip_files import destroy_file, disk, file_name, flush, serials_in
from sheka.equipment.initialisation.maker import ChipMaker, MasterKey, locked
from sheka.foundation.chip.devices.carrier import VirtualKeyCarrier
from sheka.foundation.chip.devices.carrier_state import ALGORITHM
from sheka.foundation.chip.devices.device import device_factor
from sheka.foundation.chip.devices.profile import DeviceKind, carrier_profile, device_profile, psam_profile
from sheka.foundation.chip.devices.psam import VirtualPsam
from sheka.foundation.chip.storage import CardStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

IN_NODE = "carriers"
"""The drawer's place in a node's folder."""
MAKER = "carrier-maker"
"""The maker's name: owner of its master keys in the machines."""

_SERIAL = re.compile(r"[0-9]{20}")
_DESTROYED = "destroyed"


class CarrierDrawer:
    """A folder of virtual key carrier cards and PSAMs.

    Parameters
    ----------
    folder : made when the first are manufactured; mode 0700, since they hold keys.
    sync : wait for the disk at every write, so that a power cut of the machine loses nothing.
    """

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        self.folder = folder
        self.maker = ChipMaker(folder / "maker", MAKER)
        self._sync = sync

    def manufacture(self, kind: DeviceKind | str, count: int) -> list[str]:
        """Put `count` new ones of a kind into the drawer, empty, with own keys and the initial PIN; their serials."""
        kind = _kind(kind)
        profile = device_profile(kind)
        with disk():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            serials = [profile.serial(number) for number in self.maker.next_numbers(count, kind)]
            for serial in serials:
                path = self.folder / kind / file_name(serial.hex())
                self._make(kind, CardStorage(path, sync=False), serial)
                if self._sync:
                    flush(path)
        return [serial.hex() for serial in serials]

    def serials(self, kind: DeviceKind | str) -> list[str]:
        """The serials of a kind, oldest first."""
        return serials_in(self.folder / _kind(kind), _SERIAL)

    def kind_of(self, serial: str) -> DeviceKind:
        """Refused(DRAWER_CARRIER_UNKNOWN) when there is no such serial."""
        return DeviceKind(self._path(serial).parent.name)

    def chip(self, serial: str) -> VirtualKeyCarrier | VirtualPsam:
        """A carrier or PSAM, switched off. Refused(DRAWER_CARRIER_UNKNOWN)."""
        path = self._path(serial)
        kind, storage = DeviceKind(path.parent.name), CardStorage(path, sync=self._sync)
        return VirtualPsam(storage) if kind is DeviceKind.PSAM else VirtualKeyCarrier(storage, carrier_profile(kind))

    def reader(self, serial: str) -> InProcessReader:
        """A reader with it in."""
        return InProcessReader(self.chip(serial), f"carrier {serial}")

    def destroy(self, serial: str) -> None:
        """Destroy it: its memory is overwritten and removed, and its serial leads nowhere. Goes on after a crash."""
        with disk(), locked(self.folder):
            grave = self.folder / _DESTROYED / file_name(_need_serial(serial))
            if not grave.exists():
                path = self._path(serial)
                grave.parent.mkdir(exist_ok=True)
                path.rename(grave)
                sync_folder(path.parent)
            destroy_file(grave)
            sync_folder(grave.parent)

    def _make(self, kind: DeviceKind, storage: CardStorage, serial: bytes) -> None:
        factor = device_factor(serial)
        if kind is DeviceKind.PSAM:
            transport = {a: self.maker.chip_key(MasterKey.TRANSPORT, a, factor) for a in Algorithm}
            VirtualPsam.manufacture(storage, serial=serial, transport_keys=transport, profile=psam_profile())
            return
        VirtualKeyCarrier.manufacture(
            storage,
            carrier_profile(kind),
            serial=serial,
            messaging_key=self.maker.chip_key(MasterKey.MESSAGING, ALGORITHM, factor),
            pin_key=self.maker.chip_key(MasterKey.PIN, ALGORITHM, factor),
        )

    def _path(self, serial: str) -> Path:
        name = file_name(_need_serial(serial))
        for kind in DeviceKind:
            if (path := self.folder / kind / name).exists():
                return path
        raise Refused(Code.DRAWER_CARRIER_UNKNOWN, serial=serial)


def _kind(kind: DeviceKind | str) -> DeviceKind:
    try:
        return DeviceKind(kind)
    except ValueError:
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="kind", name=kind) from None


def _need_serial(serial: str) -> str:
    if not _SERIAL.fullmatch(serial):
        raise Refused(Code.DRAWER_CARRIER_UNKNOWN, serial=serial)
    return serial
