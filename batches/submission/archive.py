"""Whether a ZIP is a workbook, and none that swells: told by unpacking it bit by bit, for its directory may lie."""

import io
import struct
import zlib
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext

from batches.submission.submitted import UnreadableError

MOST_UNPACKED = 600 * 2**20
MOST_PARTS = 2_000

_LOCAL = struct.Struct("<26xHH")
_STEP = 2**20


def check_workbook(body: bytes) -> None:
    """Raise UnreadableError unless this is the package of an XLSX workbook of a size that can be read."""
    try:
        parts = ZipFile(io.BytesIO(body)).infolist()
    except (BadZipFile, LargeZipFile, ValueError, NotImplementedError, EOFError, struct.error):
        raise UnreadableError(gettext("This workbook is broken: it may not have been downloaded to its end.")) from None
    names = {part.filename.replace("\\", "/").casefold() for part in parts}
    if "xl/workbook.xml" not in names:
        raise UnreadableError(_no_workbook(names))
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableError(gettext("This workbook is encrypted. Save it as .xlsx without a password."))
    if len(parts) > MOST_PARTS or not _is_bounded(body, parts):
        raise too_large()


def too_large() -> UnreadableError:
    """It would take more memory than there is for it."""
    return UnreadableError(
        gettext("This workbook unpacks to more than can be read. Save its sheet of invoices alone, or as CSV.")
    )


def _no_workbook(names: set[str]) -> str:
    if "content.xml" in names:
        return gettext("This is an OpenDocument spreadsheet. Save it as .xlsx or CSV.")
    if any(name.endswith(".iwa") for name in names):
        return gettext("This is a Numbers document. Export it as .xlsx or CSV.")
    if "xl/workbook.bin" in names:
        return gettext("This is a binary workbook (.xlsb). Save it as .xlsx.")
    return gettext("This is a ZIP that is no workbook. Unpack it, and drop the file that was sent.")


def _is_bounded(body: bytes, parts: list[ZipInfo]) -> bool:
    left = MOST_UNPACKED
    if sum(part.file_size for part in parts) > left:
        return False
    for part in parts:
        left -= _unpacked(body, part, left)
        if left < 0:
            return False
    return True


def _unpacked(body: bytes, part: ZipInfo, most: int) -> int:
    """How many bytes come of a part; no more are unpacked than `most` and a step."""
    if part.compress_type == ZIP_STORED:
        return part.compress_size
    if part.compress_type != ZIP_DEFLATED:
        raise UnreadableError(gettext("This workbook is packed in an unusual way. Save it again as .xlsx."))
    name, extra = _LOCAL.unpack(body[part.header_offset : part.header_offset + 30].ljust(30, b"\0"))
    start = part.header_offset + 30 + name + extra
    packed, unpack, size = body[start : start + part.compress_size], zlib.decompressobj(-15), 0
    try:
        while packed and not unpack.eof and size <= most:
            size += len(unpack.decompress(packed, _STEP))
            packed = unpack.unconsumed_tail
    except zlib.error:
        raise UnreadableError(gettext("This workbook is broken: it may not have been downloaded to its end.")) from None
    return size
