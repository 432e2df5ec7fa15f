"""A file that somebody dropped -> what was submitted, told by its content and never by its name."""

from django.utils.translation import gettext

from batches.submission.csv_file import read_csv
from batches.submission.json_file import read_json
from batches.submission.submitted import Submitted, UnreadableError
from batches.submission.workbook import read_workbook

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
_OTHERS = (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read(body: bytes) -> Submitted:
    """Its objects; raises UnreadableError with a sentence for people."""
    if body.startswith(_ZIP):
        return read_workbook(body)
    if complaint := _not_ours(body):
        raise UnreadableError(complaint)
    return read_json(body) if _beginning(body)[:1] in (b"{", b"[") else read_csv(body)


def _not_ours(body: bytes) -> str:
    start = _beginning(body)
    if not start:
        return gettext("This file is empty.")
    if start.startswith(_OLD_OFFICE):
        return gettext("This is an old or encrypted workbook. Save it as .xlsx, without a password.")
    if start.startswith(b"%PDF"):
        return gettext("This is a PDF. Drop the JSON, CSV or XLSX file that was sent to Amili.")
    if body.startswith(_IMAGES):
        return gettext("This is an image. Drop the JSON, CSV or XLSX file that was sent to Amili.")
    if body.startswith(_OTHERS):
        return gettext("This file is packed. Unpack it, and drop the file that was sent to Amili.")
    if start.startswith(b"<"):
        return gettext("This looks like XML or a web page. Drop the JSON, CSV or XLSX file that was sent to Amili.")
    return ""


def _beginning(body: bytes) -> bytes:
    """The first bytes that say something, whatever the encoding."""
    start = body[:2_000]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip() if body.startswith(_MARKS[1:]) else start.lstrip()
