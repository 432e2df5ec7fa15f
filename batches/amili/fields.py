"""One JSON object's fields, read one by one: what one of them cannot be read as costs no other."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from batches.amili.errors import NotUnderstood


class Row(Struct, frozen=True, gc=False, kw_only=True):
    """A row of a list: named fields, and what has no name here."""

    # JSON of what has no field of its own. Ours alone: a text sent under this name is too long to be taken for it.
    extra: Annotated[str, Meta(max_length=0)] = ""


MOST_ITEMS = 500_000
raw_fields = msgspec.json.Decoder(dict[str, Raw])
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NO_DATE_YEAR = 1  # .NET sends the year 0001 for "no date"


def source(raw: Raw) -> str:
    """The JSON text of an undecoded value."""
    return str(memoryview(raw), "utf-8", "replace")


def _bounded[Item](items: list[Item]) -> list[Item]:
    """A list that no batch can have would take a worker longer than it may take, again and again."""
    if len(items) > MOST_ITEMS:
        raise NotUnderstood(f"The answer lists {len(items)} objects, more than we take")
    return items


class Fields:
    """Named fields of one JSON object. A value of another type than documented is noted in `odd` and costs no other."""

    def __init__(self, fields: dict[str, Raw]) -> None:
        self._fields = fields
        self.odd: list[str] = []

    def status(self) -> tuple[str, "Fields"]:
        """The status as a word, and the fields of the status as an object: one of the two is empty."""
        raw = self._fields.get("status")
        if raw is not None and bytes(memoryview(raw)[:1]) == b"{":
            return "", Fields(raw_fields.decode(raw))
        return self.text("status"), Fields({})

    def text(self, name: str) -> str:
        value = self._read(name, str)
        return source(self._fields[name]) if value is None and name in self.odd else value or ""

    def integer(self, name: str) -> int | None:
        number: int | None = self._read(name, Annotated[int, Meta(ge=-(2**31), lt=2**31)])
        return number

    def uuid(self, name: str) -> UUID | None:
        value: UUID | None = self._read(name, UUID)
        return value

    def moment(self, name: str) -> datetime | None:
        """An aware time; None for none, and for one that no batch can have."""
        value: datetime | None = self._read(name, datetime)
        if value is None or value.year == NO_DATE_YEAR:
            return None
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        if EARLIEST < value < LATEST:
            return value
        self.odd.append(name)
        return None

    def items(self, name: str) -> list[Raw]:
        """A list's items, undecoded; anything else in its place counts as a list of one."""
        raw = self._fields.get(name)
        if raw is None:
            return []
        try:
            return _bounded(msgspec.json.decode(raw, type=list[Raw] | None) or [])
        except msgspec.ValidationError:
            self.odd.append(name)
            return [raw]

    def absent(self, *names: str) -> list[str]:
        """Which of these lists the object leaves out, or holds null in place of."""
        return [name for name in names if self._fields.get(name) in (None, Raw(b"null"))]

    def rows[R: Row](self, name: str, row_type: type[R]) -> list[R]:
        """A list's items as rows: all at once where they are as documented, else one by one."""
        try:
            return _bounded(msgspec.json.decode(self._fields.get(name, b"[]"), type=list[row_type]))  # type: ignore[valid-type]
        except msgspec.ValidationError:
            typed = msgspec.json.Decoder(row_type)
            return [_row(item, row_type, typed) for item in self.items(name)]

    def _read(self, name: str, kind: Any) -> Any:
        raw = self._fields.get(name)
        try:
            return None if raw is None else msgspec.json.decode(raw, type=kind | None)
        except msgspec.ValidationError:
            self.odd.append(name)
            return None


# ------------------------------------------------------------------------------------------ rows that do not fit


def _row[R: Row](item: Raw, row_type: type[R], typed: msgspec.json.Decoder[R]) -> R:
    try:
        return typed.decode(item)
    except msgspec.ValidationError:
        return _loose_row(item, row_type)


class _Place(NamedTuple):
    """A field of a row: its name here and in JSON, and how it is read where it is not quite as documented."""

    name: str
    encode_name: str
    is_text: bool
    decoder: msgspec.json.Decoder[Any]


@cache
def _places(row_type: type[Row]) -> list[_Place]:
    fields = [each for each in msgspec.structs.fields(row_type) if each.name != "extra"]
    return [
        _Place(each.name, each.encode_name, each.type == str | None, msgspec.json.Decoder(each.type, strict=False))
        for each in fields
    ]


def _loose_row[R: Row](item: Raw, row_type: type[R]) -> R:
    """A row with every field that can be read as what it should be; the rest, or all of a non-object, in `extra`."""
    try:
        rest = raw_fields.decode(item)
    except msgspec.ValidationError:
        return row_type(extra=source(item))
    known = {}
    for place in _places(row_type):
        if place.encode_name in rest:
            try:
                known[place.name] = _loose_value(rest[place.encode_name], place)
            except msgspec.ValidationError:
                continue
            del rest[place.encode_name]
    return row_type(**known, extra=msgspec.json.encode(rest).decode() if rest else "")


def _loose_value(raw: Raw, place: _Place) -> Any:
    """Digits in quotes are an index, and a number is a text: only lists and objects are neither."""
    if place.is_text and bytes(memoryview(raw)[:1]) not in (b'"', b"{", b"[", b"n"):
        return source(raw)
    return place.decoder.decode(raw)
