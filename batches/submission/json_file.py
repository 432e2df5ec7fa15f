"""JSON bodies: https://docs.amili.dev/createinvoices-4148067e0, and those of corrections, payments and documents.

An object goes back byte for byte: only what the join needs of it is decoded.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from django.utils.translation import gettext
from msgspec import DecodeError, MsgspecError, Raw, Struct, ValidationError, defstruct, field
from msgspec.json import Decoder

from batches.submission.submitted import MOST_FIELDS, MOST_OBJECTS, Record, Submitted, UnreadableError
from batches.submission.tables import too_many
from batches.submission.texts import shown, utf8_of

LISTS = ("invoices", "corrections", "payments", "documents")
_SAMPLE = 100  # objects whose fields tell what fields there are
_DEPTH = 6  # of objects within objects that are shown field by field
_MOST_PARTS = 50_000  # of an object that is shown field by field
_MOST_BESIDE = 2**20  # bytes beside the list

_NUMBERED = re.compile(rb'"reason_([1-9]\d{0,8})"')
_BYTE = re.compile(r"\(byte (\d+)\)")
_HALF_CHARACTER = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class _Keys(Struct, gc=False):
    number: Raw = field(default=Raw(), name="invoiceNumber")
    id: Raw = field(default=Raw(), name="invoiceId")


_lists = Decoder(defstruct("_Lists", [(name, Raw, Raw()) for name in LISTS]))
_members = Decoder(dict[str, Raw])
_objects = Decoder(list[Raw])
_keys = Decoder(list[_Keys])
_text = Decoder(str)


class JsonFile(Struct, frozen=True, tag="json"):
    """Such a body without its objects. `members` are those of the wrapper, in order; a bare array has none."""

    members: list[tuple[str, bytes]]
    list_name: str
    reason_name: str
    columns: list[str]
    notes: list[str]

    suffix = "json"
    content_type = "application/json"

    @property
    def facts(self) -> list[str]:
        return [f"JSON, {self.list_name or gettext('a bare list')}", *self.notes]

    def fields(self, body: bytes) -> list[tuple[str, str]]:
        """Each with its path, such as `debtor.nationalId`; numbers as they are written."""
        if body.count(b",") + body.count(b"[") + body.count(b"{") > _MOST_PARTS:
            return [("", shown(body[:2_000].decode(errors="ignore")))]
        try:
            value = json.loads(body, parse_int=str, parse_float=str)
            return [part for part, _ in zip(_flat(value, "", _DEPTH), range(MOST_FIELDS), strict=False)]
        except RecursionError:
            return [("", shown(body.decode()))]

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """The wrapper's other members come back beside the list."""
        before, after = self._around()
        yield before
        for n, (body, reason) in enumerate(objects):
            yield (b",\n" if n else b"\n") + (self._with(body, reason) if with_reasons else body)
        yield after

    def _around(self) -> tuple[bytes, bytes]:
        if not self.list_name:
            return b"[", b"\n]\n"
        parts = [json.dumps(name, ensure_ascii=False).encode() + b": " + value for name, value in self.members]
        place = [name for name, _ in self.members].index(self.list_name)
        head = b"{" + b"".join(part + b", " for part in parts[:place]) + parts[place] + b"["
        return head, b"\n]" + b"".join(b", " + part for part in parts[place + 1 :]) + b"}\n"

    def _with(self, body: bytes, reason: str) -> bytes:
        comma = b"" if body[1:-1].strip() == b"" else b", "
        return body[:-1].rstrip() + comma + json.dumps({self.reason_name: reason}, ensure_ascii=False)[1:].encode()


def read_json(body: bytes) -> Submitted:
    """The file's objects, in whichever of the documented bodies they are."""
    body, note = utf8_of(body)
    members, name, array = _list_in(body)
    if body.count(b"{") > MOST_OBJECTS:
        _check_count(array)
    keys = _keys_of(array)
    if not keys:
        raise UnreadableError(gettext("The list in this file is empty: there is no object to compare."))
    records = [Record(0, bytes(each)) for each in _objects.decode(array)]
    frame = JsonFile(members, name, _free_name(body), [], note)
    columns = dict.fromkeys(path for record in records[:_SAMPLE] for path, _ in frame.fields(record.body) if path)
    frame = JsonFile(members, name, frame.reason_name, list(columns)[:MOST_FIELDS], note)
    return Submitted(frame, records, [_plain(key.number) for key in keys], [_plain(key.id) for key in keys])


def _list_in(body: bytes) -> tuple[list[tuple[str, bytes]], str, Raw | bytes]:
    if body.lstrip()[:1] == b"[":
        return [], "", body
    try:
        lists = _lists.decode(body)
        if len(body) - sum(memoryview(getattr(lists, name)).nbytes for name in LISTS) > _MOST_BESIDE:
            raise UnreadableError(f"{_expected()} {gettext('This file holds too much beside it.')}")
        members = _members.decode(body)
    except (MsgspecError, RecursionError) as problem:
        raise _broken(body, problem) from None
    names = [name for name in LISTS if name in members]
    if len(names) != 1:
        raise UnreadableError(_another_shape(list(members)))
    others = [(name, b"" if name == names[0] else bytes(value)) for name, value in members.items()]
    return others, names[0], members[names[0]]


def _check_count(array: Raw | bytes) -> None:
    """Raise UnreadableError at the first object too many: what takes two bytes in a file takes many more in memory."""
    numbers = count(1)

    class Counted(Struct):
        def __post_init__(self) -> None:
            if next(numbers) > MOST_OBJECTS:
                raise too_many()

    with suppress(MsgspecError, RecursionError):  # what is wrong with it is told when it is read
        Decoder(list[Counted]).decode(array)


def _keys_of(array: Raw | bytes) -> list[_Keys]:
    try:
        return _keys.decode(array)
    except ValidationError as problem:
        raise UnreadableError(_no_object(str(problem))) from None
    except (DecodeError, RecursionError) as problem:
        raise _broken(bytes(array), problem) from None


def _plain(raw: Raw) -> str:
    source = bytes(raw)
    if source[:1] == b'"':
        return _text.decode(source).strip()
    return "" if source in (b"", b"null") or source[:1] in b"{[" else source.decode()


def _free_name(body: bytes) -> str:
    """`reason`, unless a property may have that name already; then the first number that is free."""
    if b'"reason"' not in body:
        return "reason"
    taken = bytearray(len(body) // len('"reason_2"') + 3)  # longer than there is room for such names in the file
    for match in _NUMBERED.finditer(body):
        number = int(match[1])
        if number < len(taken):
            taken[number] = 1
    return f"reason_{taken.index(0, 2)}"


def _flat(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth and value and isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else name, depth - 1)
    elif depth and isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for n, part in enumerate(value):
            yield from _flat(part, f"{path}[{n}]", depth - 1)
    else:
        yield shown(path), shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


# ------------------------------------------------------------------------------------------ what is wrong


def _broken(body: bytes, problem: Exception) -> UnreadableError:
    if isinstance(problem, RecursionError):
        return UnreadableError(gettext("This file nests objects and lists too deeply to be a list of invoices."))
    if half := _HALF_CHARACTER.search(body):
        where, what = (
            half.start(),
            gettext("This JSON holds half a character (%(code)s)") % {"code": half[0][:6].decode()},
        )
    elif found := _BYTE.search(str(problem)):
        where, what = int(found[1]), gettext("This is not valid JSON: it cannot be read on")
    else:
        where, what = len(body), gettext("This JSON breaks off: it ends")
    before = body[:where].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    place = gettext("at line %(line)d, column %(column)d") % {"line": line, "column": column}
    return UnreadableError(f"{what} {place}.")


def _no_object(problem: str) -> str:
    place = re.search(r"\[(\d+)\]", problem)
    if place is None:
        return gettext("Where this file should hold a list of objects, it holds something else.")
    return gettext("Entry %(n)d of the list is not an object.") % {"n": int(place[1]) + 1}


def _expected() -> str:
    return gettext("One list is expected: %(lists)s.") % {"lists": ", ".join(f'"{name}"' for name in LISTS)}


def _another_shape(names: Sequence[str]) -> str:
    expected = _expected()
    if not names:
        return f"{expected} {gettext('This file has nothing in it.')}"
    found = ", ".join(f'"{shown(name, 30)}"' for name in names[:5]) + (" …" if len(names) > 5 else "")
    return f"{expected} {gettext('This file has: %(found)s.') % {'found': found}}"
