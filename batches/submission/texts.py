"""Texts of files: in which encoding they are, and how they are shown."""

import codecs
import re

from django.utils.translation import gettext

from batches.submission.submitted import UnreadableError

_UNSHOWN = re.compile("[\0\ud800-\udfff]")
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}


def shown(text: str, most: int = 300) -> str:
    """What a page can carry of it."""
    return _UNSHOWN.sub("\ufffd", text if len(text) <= most else f"{text[: most - 1]}…")


def codec_of(encoding: str) -> str:
    """What turns text into these bytes, without the mark."""
    return "utf-8" if encoding == "utf-8-sig" else encoding


def mark_of(encoding: str) -> bytes:
    """The bytes that stand before the text."""
    if encoding == "utf-8-sig":
        return codecs.BOM_UTF8
    return next((mark for mark, name in _WIDE.items() if name == encoding), b"")


def encoding_of(body: bytes) -> str:
    """By its mark, else UTF-8 if it is that, else that of older spreadsheets."""
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    wide = next((name for mark, name in _WIDE.items() if body.startswith(mark)), "")
    if not wide and b"\0" in body:
        raise UnreadableError(
            gettext("This is not a text file. JSON, CSV and XLSX can be read; save it as CSV in UTF-8.")
        )
    return wide or ("utf-8" if _is_utf8(body) else "cp1252")


def check_encoding(body: bytes, encoding: str) -> None:
    """Raise UnreadableError at the first line that is not in it."""
    decoded(body, encoding)


def decoded(body: bytes, encoding: str) -> str:
    """The text, without its mark."""
    try:
        return body.removeprefix(mark_of(encoding)).decode(codec_of(encoding))
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        text = gettext("At line %(line)d this file is not in the encoding that it begins in. Save it as CSV in UTF-8.")
        raise UnreadableError(text % {"line": line}) from None


def utf8_of(body: bytes) -> tuple[bytes, list[str]]:
    """JSON as UTF-8, which is what it must be, and what was changed for that."""
    encoding = encoding_of(body)
    if encoding == "utf-8":
        return body, []
    if encoding == "utf-8-sig":
        return body.removeprefix(codecs.BOM_UTF8), []
    note = gettext("read as %(encoding)s; JSON has to be UTF-8, which is what you get back")
    return decoded(body, encoding).encode(), [note % {"encoding": LABELS[encoding]}]


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
