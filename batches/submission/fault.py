"""Which field of an object a message names. Every message is read once, word by word, whatever anybody has sent."""

import re
from collections.abc import Iterable, Mapping

_READ = 2_000  # characters of a message
_LONGEST = 6  # words in a name
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-ZÆØÅ])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")

type Words = tuple[str, ...]


def fields_at_fault(names: Iterable[str], messages: Iterable[str]) -> set[str]:
    """Those of the names that a message gives as they are, or as words: `due date` for `dueDate`. The longest first."""
    spelled = _spellings(names)
    return {name for message in messages for name in _named(spelled, words_of(message[:_READ]))}


def words_of(text: str) -> Words:
    """`debtor.nationalId` -> debtor, national, id; however a word is spelled here or there."""
    joined = text.replace("e-mail", "email").replace("E-mail", "email")
    return tuple(
        word.casefold().replace("organis", "organiz") for word in _WORD.findall(_HUMP.sub(" ", joined)) if word.strip()
    )


def _spellings(names: Iterable[str]) -> Mapping[Words, str]:
    """A name whole, and its last part where that says which one is meant."""
    whole, last = dict[Words, str](), dict[Words, str | None]()
    for name in dict.fromkeys(names):
        whole.setdefault(words_of(name), name)
        part = words_of(name.rsplit(".", 1)[-1])
        last[part] = None if part in last else name
    spelled = {**{part: name for part, name in last.items() if name}, **whole}
    return {words: name for words, name in spelled.items() if 0 < len(words) <= _LONGEST}


def _named(spelled: Mapping[Words, str], words: Words) -> Iterable[str]:
    start = 0
    while start < len(words):
        length = next((n for n in range(_LONGEST, 0, -1) if words[start : start + n] in spelled), 0)
        if length:
            yield spelled[words[start : start + length]]
        start += length or 1
