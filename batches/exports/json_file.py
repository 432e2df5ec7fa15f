"""JSON: what the file is about first, then its rows."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from batches.exports.table import CHUNK, Table


def json_file(about: Mapping[str, Any], tables: Mapping[str, Table]) -> Iterator[bytes]:
    """One object: `about`, then each table under its key."""
    before = b"{"
    for key, value in about.items():
        yield before + _json(key) + b": " + _json(value)
        before = b",\n"
    for key, table in tables.items():
        yield before + _json(key) + b": "
        yield from map(_json, _objects(table)) if table.is_record else _list(table)
        before = b",\n"
    yield b"}\n"


def _list(table: Table) -> Iterator[bytes]:
    waiting, before = bytearray(b"["), b"\n"
    for row in _objects(table):
        waiting += before + _json(row)
        before = b",\n"
        if len(waiting) > CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + b"\n]"


def _objects(table: Table) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    foreign = [column.name for column in table.columns if column.is_json]
    for row in table.rows:
        values = dict(zip(names, row, strict=True))
        for name in foreign:
            values[name] = _as_it_came(values[name])
        yield values


def _as_it_came(text: str) -> Any:
    """Foreign JSON within ours; as a text where it is none, or is nested too deep to be read."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text or None
    return msgspec.Raw(text.encode())


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a half of a character
        return msgspec.json.encode(_whole(value))


def _whole(value: Any) -> Any:
    """The same with only such texts as UTF-8 can hold."""
    if isinstance(value, dict):
        return {_whole(key): _whole(part) for key, part in value.items()}
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
