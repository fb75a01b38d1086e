"""How much is packed into the streams of a PDF, unpacked piece by piece under one bound for the whole file.

Runs in the child.
"""

from __future__ import annotations

import zlib
from typing import Any

from pypdf import filters as decoders
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import ArrayObject, StreamObject

from sheka.office.documents.examination.refusing import Unfit

MOST_FILTERS = 3
PIECE = 1 << 20
KEPT = 64 << 20
"""What may lie between two filters of one stream: the only case in which an unpacked stream is held in memory."""
SHORT = {
    "/Fl": "/FlateDecode",
    "/LZW": "/LZWDecode",
    "/A85": "/ASCII85Decode",
    "/AHx": "/ASCIIHexDecode",
    "/RL": "/RunLengthDecode",
    "/DCT": "/DCTDecode",
    "/CCF": "/CCITTFaxDecode",
}
PICTURES = frozenset(("/DCTDecode", "/CCITTFaxDecode", "/JPXDecode", "/JBIG2Decode"))
"""Filters that only a picture has; its size in pixels is bounded instead."""


def filters_of(stream: StreamObject) -> list[str]:
    """The filters of a stream by their long names, the outermost first."""
    given: Any = stream.get("/Filter", [])
    names = given if isinstance(given, ArrayObject) else [given] if given else []
    return [SHORT.get(str(name), str(name)) for name in names]


class Unpacked:
    """Counts what the streams of a file unpack to. Unfit(DOCUMENT_EXPANDS) when it is more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit, self.left = limit, limit

    @property
    def limit_mb(self) -> int:
        return self.limit >> 20

    def count(self, stream: StreamObject) -> None:
        """Unpack a stream and forget what comes out."""
        names = filters_of(stream)
        packed = self._through(stream, names)
        if names and names[-1] == "/FlateDecode":
            self._inflate(packed, keep=False)
        else:
            self._spend(len(packed) if not names or names[-1] in PICTURES else len(self._decoded(packed, names[-1])))

    def before_picture(self, stream: StreamObject) -> bytes:
        """The picture's own file, every filter before the last undone."""
        packed = self._through(stream, filters_of(stream))
        self._spend(len(packed))
        return packed

    def _through(self, stream: StreamObject, names: list[str]) -> bytes:
        """The stream with every filter undone but the last."""
        if len(names) > MOST_FILTERS:
            raise Unfit("DOCUMENT_EXPANDS", limit=self.limit_mb)
        data: bytes = stream._data
        for name in names[:-1]:
            data = self._decoded(data, name)
        return data

    def _decoded(self, data: bytes, name: str) -> bytes:
        if name == "/FlateDecode":
            return self._inflate(data, keep=True)
        try:
            if name == "/ASCII85Decode":
                data = decoders.ASCII85Decode.decode(data)
            elif name == "/ASCIIHexDecode":
                data = bytes(decoders.ASCIIHexDecode.decode(data))
            elif name == "/RunLengthDecode":
                data = decoders.RunLengthDecode.decode(data)
            elif name == "/LZWDecode":
                data = decoders.LZWDecode.decode(data)
            else:
                raise Unfit("DOCUMENT_ACTIVE", found="filter")
        except LimitReachedError:
            raise Unfit("DOCUMENT_EXPANDS", limit=self.limit_mb) from None
        except (PyPdfError, ValueError, IndexError, KeyError):
            raise Unfit("DOCUMENT_DAMAGED") from None
        self._spend(len(data))
        return data

    def _inflate(self, data: bytes, *, keep: bool) -> bytes:
        unpacker, out = zlib.decompressobj(), bytearray()
        try:
            piece = unpacker.decompress(data, PIECE)
            while piece:
                self._spend(len(piece))
                if keep:
                    out += piece
                    if len(out) > KEPT:
                        raise Unfit("DOCUMENT_EXPANDS", limit=self.limit_mb)
                piece = unpacker.decompress(unpacker.unconsumed_tail, PIECE)
        except zlib.error:
            raise Unfit("DOCUMENT_DAMAGED") from None
        return bytes(out)

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Unfit("DOCUMENT_EXPANDS", limit=self.limit_mb)
