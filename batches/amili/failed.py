"""What a failed item says. Its shape is documented nowhere, so it is read by the names that such things usually have.

Whatever cannot be read so costs nothing: the item's own JSON is the message then, and always stays beside it as it came.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from batches.amili.fields import Row

NO_FAILURE = ("null", "{}")
"""Entries that say nothing; the documented example holds a bare null."""

_DEPTH = 6
_MOST_MESSAGES = 100  # of one item: a list of items is bounded, and so is what is made of it
_INDEX = {"objectindex", "index", "rowindex", "rownumber"}
_NAME = {"objectname", "objecttype", "target"}
_NUMBER = {"invoicenumber", "invoiceno"}
_SAYING = {"message", "errormessage", "error", "reason", "description", "detail", "title"}
_SAYING |= {f"{name}s" for name in _SAYING}
_NOT_A_LETTER = re.compile("[^a-z]+")


class Failure(Row, frozen=True, gc=False, kw_only=True):
    """One thing that is wrong with one object, as far as a failed item tells it."""

    objectname: str | None = None
    objectindex: int | None = None
    invoice_number: str | None = None
    message: str = ""


def read_failed(items: Iterable[str]) -> list[Failure]:
    """The failures that items tell of, given as JSON texts: at least one of each item that says anything."""
    return [failure for item in items if item not in NO_FAILURE for failure in _failures(item)]


def _failures(item: str) -> Iterator[Failure]:
    said = list(_walk(_decoded(item)))
    about = {
        "objectindex": _first(said, _INDEX, _index),
        "objectname": _first(said, _NAME, _text),
        "invoice_number": _first(said, _NUMBER, _text),
    }
    messages = dict.fromkeys(value for name, value in said if name in _SAYING and isinstance(value, str) and value)
    for message in islice(messages or [item], _MOST_MESSAGES):
        yield Failure(message=message, **about)


def _decoded(item: str) -> Any:
    try:
        return msgspec.json.decode(item)
    except (msgspec.DecodeError, RecursionError):
        return None


def _walk(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """All values that are no containers, each with the nearest name above it in plain lower-case letters."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, _NOT_A_LETTER.sub("", key.lower()), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, name, depth + 1)
    else:
        yield name, value


def _first(said: Iterable[tuple[str, Any]], names: set[str], read: Callable[[Any], Any]) -> Any:
    return next((read(value) for name, value in said if name in names and read(value) is not None), None)


def _index(value: Any) -> int | None:
    """Digits in quotes are an index too."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    is_index = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if is_index else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
