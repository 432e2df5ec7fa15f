"""The envelope around an answer: `data`, and `summary`, which is about the call and not about a batch.

Read here with `data` left undecoded, from JSON and from what is JSON only to some.
"""

import hashlib
import json
import math
import re
import sys

import msgspec
from msgspec import Raw, Struct, field

from batches.amili.errors import NotUnderstood


class _Batch(Struct):
    data: dict[str, Raw]


class _Summary(Struct):
    token: Raw = field(default=Raw(), name="nextPageToken")


class _List(_Summary, kw_only=True):
    data: list[Raw]
    summary: Raw = Raw(b"{}")


class _Anything(Struct):
    data: Raw


_batch, _list = msgspec.json.Decoder(_Batch), msgspec.json.Decoder(_List)
_summary, _anything = msgspec.json.Decoder(_Summary), msgspec.json.Decoder(_Anything)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def identity(body: bytes) -> bytes:
    """What makes an answer another one: the digest of its `data`, since the envelope may name each call; else of all."""
    try:
        said: bytes | Raw = _anything.decode(body).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = body
    return hashlib.sha256(said).digest()


def data_of(body: bytes) -> dict[str, Raw]:
    """The fields of `data` where it is an object. Raises NotUnderstood where it is none."""
    if rb"\u0000" in body:  # JSON may hold it, PostgreSQL's text may not
        return _mended(body, _batch, "no batch").data
    try:
        body.decode()  # the fields stay undecoded, and their bytes unchecked
        return _batch.decode(body).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _mended(body, _batch, "no batch").data


def list_of(body: bytes) -> tuple[list[Raw], str]:
    """The items of `data` where it is a list, and the token of the next page. Raises NotUnderstood where it is none."""
    try:
        page = _list.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        page = _mended(body, _list, "no list of batches")
    return page.data, _token(page)


def _token(page: _List) -> str:
    """Where it stands is documented for the first generation alone: in the summary. Later it may stand beside `data`."""
    try:
        summary = _summary.decode(page.summary)
    except msgspec.MsgspecError:
        summary = _Summary()
    return _text(summary.token) or _text(page.token)


def _text(raw: Raw) -> str:
    try:
        token = msgspec.json.decode(raw, type=str | int | None)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    # No database keeps U+0000. The walk goes on with what is left of the token, and tells that Amili does not take it.
    return "" if token is None else str(token).replace("\0", "\ufffd")


def _mended[T](body: bytes, decoder: msgspec.json.Decoder[T], nothing: str) -> T:
    """For what is JSON to some: a byte order mark, lone surrogates, U+0000, NaN, bytes that are not UTF-8."""
    try:
        return decoder.decode(_mend(body))
    except json.JSONDecodeError as problem:
        raise NotUnderstood(_why_not_json(body, problem.pos)) from None
    except RecursionError:
        raise NotUnderstood("The answer is nested too deeply to be a batch") from None
    except msgspec.MsgspecError:
        raise NotUnderstood(f"The answer is JSON, but holds {nothing} under “data”") from None


def _mend(body: bytes) -> bytes:
    text = body.decode("utf-8-sig", "replace")
    loose = json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_countable)
    text = json.dumps(loose, ensure_ascii=False)
    return _ESCAPED_NUL.sub("\\1\ufffd", _LONE_SURROGATE.sub("\ufffd", text)).encode()


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _countable(text: str) -> int | str:
    return int(text) if len(text) < sys.int_info.default_max_str_digits else text


def _why_not_json(body: bytes, position: int) -> str:
    start = body.strip()[:1]
    if not start:
        return "The answer is empty"
    if start == b"<":
        return "The answer is a web page, not JSON"
    return f"The answer is not whole JSON: it goes wrong at character {position}"
