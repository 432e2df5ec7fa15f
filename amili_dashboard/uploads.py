"""Files that nobody asked for."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    """Stops reading a form at its first file.

    There has to be a handler: without any, Django takes a form in pieces of 2 GiB, for anybody, as the protection from
    forged forms reads them before a sign-in is asked for.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never: no file begins."""

    def file_complete(self, file_size: int) -> None:
        """Never: no file begins."""
