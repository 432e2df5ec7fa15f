"""Which field of an object a message names, or gives the value of. Every message is read word by word, once for each."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

_READ = 2_000  # characters of a message
_LONGEST = 6  # words in a name
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-ZÆØÅ])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")

_LEAST_VALUE, _MOST_VALUE = 3, 100  # characters of a value that is looked for
_NO_VALUES = {"true", "false", "null", "TRUE", "FALSE"}
# A comma within 4500,50 or a colon within 13:45 is part of it.
_TOKEN = re.compile(r"(?:[^\s\"'“”‘’«»()\[\]{},;:=<>]|(?<=\d)[,:](?=\d))+")
_DECIMAL = re.compile(r"([+-]?\d+)[.,](\d*)")

type Words = tuple[str, ...]


def named_fields(names: Iterable[str], messages: Iterable[str]) -> list[set[str]]:
    """Those that each message gives as they are, or as words: `due date` for `dueDate`. The longest first."""
    spelled = _spellings(names)
    return [set(_met(spelled, words_of(message[:_READ]))) for message in messages]


def valued_fields(fields: Sequence[tuple[str, str]], messages: Collection[str]) -> set[int]:
    """The places of the fields whose value stands in a message in which no other field's does."""
    if not messages:
        return set()
    places = dict[Words, list[int]]()
    for place, (_, value) in enumerate(fields):
        if _LEAST_VALUE <= len(value) <= _MOST_VALUE and value not in _NO_VALUES:
            places.setdefault(_tokens(value), []).append(place)
    wanted = {words: found for words, found in places.items() if 0 < len(words) <= _LONGEST}
    said = ({place for found in _met(wanted, _tokens(message[:_READ])) for place in found} for message in messages)
    return {place for found in said if len(found) == 1 for place in found}


def words_of(text: str) -> Words:
    """`debtor.nationalId` -> debtor, national, id; however a word is spelled here or there."""
    joined = text.replace("e-mail", "email").replace("E-mail", "email")
    return tuple(
        word.casefold().replace("organis", "organiz") for word in _WORD.findall(_HUMP.sub(" ", joined)) if word.strip()
    )


def _tokens(text: str) -> Words:
    return tuple(filter(None, (_as_number(token.strip(".,!?")) for token in _TOKEN.findall(text))))


def _as_number(token: str) -> str:
    """-125.00 and -125,0 -> -125, but 0150 as it is."""
    match = _DECIMAL.fullmatch(token)
    return f"{match[1]}.{match[2].rstrip('0')}".rstrip(".") if match else token


def _spellings(names: Iterable[str]) -> Mapping[Words, str]:
    """A name whole, and its last part where that says which one is meant."""
    whole, last = dict[Words, str](), dict[Words, str | None]()
    for name in dict.fromkeys(names):
        whole.setdefault(words_of(name), name)
        part = words_of(name.rsplit(".", 1)[-1])
        last[part] = None if part in last else name
    spelled = {**{part: name for part, name in last.items() if name}, **whole}
    return {words: name for words, name in spelled.items() if 0 < len(words) <= _LONGEST}


def _met[T](wanted: Mapping[Words, T], words: Words) -> Iterable[T]:
    start = 0
    while start < len(words):
        length = next((n for n in range(_LONGEST, 0, -1) if words[start : start + n] in wanted), 0)
        if length:
            yield wanted[words[start : start + length]]
        start += length or 1
