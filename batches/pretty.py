"""Foreign JSON made readable for people; nothing here ever fails on what Amili sends."""

import json
import re
from typing import Any

import msgspec

# A text that breaks off is one token too: else every quote in it would be tried as a beginning.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],]')
_CLOSING = {"{": "}", "[": "]"}


def pretty_start(text: str) -> str:
    """JSON, or the beginning of it, indented; any other text as it is."""
    for candidate in (text, _closed(text)):
        try:
            return msgspec.json.format(candidate, indent=2).rstrip()
        except (msgspec.MsgspecError, RecursionError):
            continue
    return text


def _closed(text: str) -> str:
    """JSON that breaks off -> what is whole of it, with the open brackets closed."""
    open_brackets: list[str] = []
    end, still_open = 0, list[str]()
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in ("}", "]") and open_brackets:
            open_brackets.pop()
        elif mark == ",":
            end, still_open = token.start(), open_brackets[::-1]
    return text[:end] + "".join(still_open)


def fields_of(source: str) -> list[tuple[str, str]]:
    """The JSON of a row's unnamed fields -> (name, value) to show; of anything but an object, one nameless value."""
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return [("", source)]
    if not isinstance(value, dict):
        return [("", _shown(value))]
    return [(name, _shown(part)) for name, part in value.items()]


def _shown(value: Any) -> str:
    if value and isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "; ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Valid JSON may still name characters that no page or database can carry.
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)
