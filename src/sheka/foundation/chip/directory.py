"""The tree of a layout as SELECT walks it: MF, applications, files, and the FCI that each answers (card.md §1, §5)."""

from __future__ import annotations

from functools import cache

from sheka.foundation.chip.declarations import MASTER_FILE, Application
from sheka.foundation.chip.files import CyclicFile, RecordFile, TransparentFile, make_file
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.crypto.algorithms import Algorithm

MASTER_FID = bytes.fromhex("3F00")

File = RecordFile | TransparentFile | CyclicFile


class Directory:
    """A dedicated file: the MF or an application, with its place in the tree."""

    def __init__(self, name: str, fid: bytes, parent: Directory | None, application: Application | None) -> None:
        self.name = name
        self.fid = fid
        self.parent = parent
        self.aid = application.aid if application else b""
        self._directory_sfi = application.directory_sfi if application else 1
        files = [make_file(declaration) for declaration in application.files] if application else []
        self.by_fid: dict[bytes, File] = {file.declaration.fid: file for file in files}
        self.by_sfi: dict[int, File] = {file.declaration.sfi: file for file in files}
        self.lineage: tuple[str, ...] = (name, *(parent.lineage if parent else ()))
        """The directory's own name, then those above it: where its keys are looked for."""

    def fci(self, algorithm: Algorithm) -> bytes:
        """File control information: 6F{84 AID (83 FID where there is none), A5{88 SFI, 9F0C{86 algorithm}}}."""
        name = tlv(0x84, self.aid) if self.aid else tlv(0x83, self.fid)
        issuer = bytes.fromhex("9F0C03") + tlv(0x86, bytes((algorithm,)))
        return tlv(0x6F, name + tlv(0xA5, tlv(0x88, bytes((self._directory_sfi,))) + issuer))


class Tree:
    """All directories of a profile; built once, shared by all cards of that profile."""

    def __init__(self, profile: CardProfile) -> None:
        self.master = Directory(MASTER_FILE, MASTER_FID, None, None)
        by_name = {MASTER_FILE: self.master}
        for application in profile.applications:
            parent = by_name[application.parent]
            by_name[application.name] = Directory(application.name, application.fid, parent, application)
        self.by_name = by_name
        self.by_fid = {directory.fid: directory for directory in by_name.values()}
        self.with_aid = [directory for directory in by_name.values() if directory.aid]

    def matching(self, aid: bytes) -> list[Directory]:
        """Applications whose AID begins with the given bytes, the one that equals it first."""
        found = [directory for directory in self.with_aid if directory.aid.startswith(aid)]
        return sorted(found, key=lambda directory: directory.aid != aid)


@cache
def tree_of(profile: CardProfile) -> Tree:
    """The tree of a profile, built once."""
    return Tree(profile)


def tlv(tag: int, value: bytes) -> bytes:
    """Tag 1 ‖ length 1 ‖ value."""
    return bytes((tag, len(value))) + value
