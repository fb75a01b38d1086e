"""Files on their way in: in memory only, never in clear on a disk, and no more of them than a form may hold."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST_REQUEST = 32 * 2**20


class InMemory(FileUploadHandler):
    """Django's own handlers write what is larger than 2.5 MB to a temporary file: no scan of an ID card may lie there.

    A request that is larger than 32 MB, or says so, is refused whole.
    """

    def handle_raw_input(self, input_data: Any, META: dict[str, Any], content_length: int, *args: Any) -> None:
        self.taken = 0
        if content_length > LARGEST_REQUEST:
            raise RequestDataTooBig("a request with files may have 32 MB")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.taken += len(raw_data)
        if self.taken > LARGEST_REQUEST:
            raise RequestDataTooBig("a request with files may have 32 MB")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(
            file=self.file,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
