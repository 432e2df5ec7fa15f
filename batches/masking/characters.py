"""One way of writing for what can be written in many."""

import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape
from unicodedata import category, digit, normalize
from urllib.parse import unquote

_FILLERS = "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters that show nothing
_ON_DIGITS = re.compile(
    r"(?<=\d)[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]+"
)
# Spaces and line breaks as JSON, HTML and addresses write them.
_ESCAPED = re.compile(r"&(?:nbsp|ensp|emsp|thinsp|shy|#160|#xa0);|\\u(?:00a0|00ad|20[0-2][0-9a-f])|\\[nrt]|%(?:20|a0)")
_ESCAPE = re.compile(
    r"&(?:#(?:[0-9]{1,7}|x[0-9a-f]{1,6});?|[a-z][a-z0-9]{1,30};)|\\(?:u(?P<u>[0-9a-f]{4})|x(?P<x>[0-9a-f]{2}))|(?:%[0-9a-f]{2})+",
    re.IGNORECASE,
)
_TIMES_ESCAPED = 3
_TAG = re.compile(r"<[/!a-z][^<>‹›]{0,200}>", re.IGNORECASE)


def visible(text: str) -> str:
    """The text without characters that nobody sees."""
    if _is_simple(text):
        return text
    return _ON_DIGITS.sub("", text.translate(_Table(_shown)))


def plain(text: str) -> str:
    """Character for character: digits and letters of all kinds as ASCII where there is such, lower case, plain spaces."""
    simple = text.lower() if _is_simple(text) else text.translate(_Table(_simple))
    return _ESCAPED.sub(lambda escape: " " * len(escape[0]), simple)


def unescaped(text: str) -> str:
    """As it reads once HTML, JSON and addresses are unwrapped, be it from each other."""
    for _ in range(_TIMES_ESCAPED):
        text = _ESCAPE.sub(_character, text)
    return visible(text)


def _character(match: re.Match[str]) -> str:
    escape = match[0]
    if escape[0] == "&":
        return unescape(escape)
    return unquote(escape) if escape[0] == "%" else chr(int(match["u"] or match["x"], 16))


def spaced(text: str) -> str:
    """The same with spaces in place of tags."""
    return _TAG.sub(" ", unescaped(text))


def joined(text: str) -> str:
    """The same with nothing in place of tags."""
    return _TAG.sub("", unescaped(text))


def _is_simple(text: str) -> bool:
    """Most messages are, and are done with sooner."""
    return text.isascii() and text.isprintable()


class _Table:
    """What `str.translate` looks characters up in."""

    def __init__(self, look_up: Callable[[int], str | None]) -> None:
        self._look_up = look_up

    def __getitem__(self, code: int) -> str | None:
        return self._look_up(code)


@lru_cache(4096)
def _shown(code: int) -> str | None:
    character = chr(code)
    is_unseen = category(character) in {"Cf", "Cc", "Cs"} and character not in "\t\r\n"
    return None if is_unseen or character in _FILLERS else character


@lru_cache(4096)
def _simple(code: int) -> str:
    character = chr(code)
    if (value := digit(character, None)) is not None:
        return str(value)
    if character.isspace():
        return " "
    simple = normalize("NFKC", character).lower()
    return simple if len(simple) == 1 else character
