"""Takes one file of a form into memory, up to a limit. Nothing of it ever touches a disk."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.utils.translation import gettext

from batches.submission.submitted import MOST_BYTES, UnreadableError


class WholeFile(FileUploadHandler):
    """The first file alone. One that is too large is read to its end and dropped, so that the browser hears why."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._taken: BytesIO | None = None
        self.is_too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._taken is not None:
            raise SkipFile
        self._taken = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._taken is not None  # noqa: S101 -- new_file comes first
        if self._taken.tell() + len(raw_data) > MOST_BYTES:
            self.is_too_large = True
            self._taken = BytesIO()
            raise StopUpload
        self._taken.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:
        if self._taken is None or self._taken.closed:
            return None
        return InMemoryUploadedFile(
            self._taken, self.field_name, self.file_name or "", self.content_type, file_size, self.charset
        )


def uploaded(request: HttpRequest, name: str) -> tuple[str, bytes]:
    """The name and the content of the file in this field; raises UnreadableError."""
    file = request.FILES.get(name)
    if any(isinstance(handler, WholeFile) and handler.is_too_large for handler in request.upload_handlers):
        most = MOST_BYTES // 2**20
        raise UnreadableError(
            gettext("This file is larger than %(most)d MiB, which is more than is taken.") % {"most": most}
        )
    if file is None:
        raise UnreadableError(gettext("Choose a file first: the JSON, CSV or XLSX that was sent to Amili."))
    return file.name or "", file.file.getvalue() if isinstance(file.file, BytesIO) else file.read()
