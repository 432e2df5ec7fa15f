"""Which error messages say the same: a message without what varies in it.

`fingerprint` turns "Invoice number 2026-000123 already exists" into "Invoice number ‹number› already exists". What varies
from object to object gives way to a placeholder; what tells one fault from another stays: field names, short codes, HTTP
statuses, words. Where both readings are possible, the words before a value decide ("status 500", "invoice INV-12").

Messages are foreign text, so two things hold whatever they contain. Time: no more than `LONGEST` characters are read, by
possessive expressions of which each begins where the last one ended. And a template is its own template: it holds nothing
that varies. Text that already looks like a placeholder therefore stands as one, which at worst joins it with what it imitates.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

GROUPING = 1
"""The version of these rules. Every change of what any message becomes raises it."""

LONGEST = 1_000
"""Characters of a message that count, and that a template has at most; what was cut ends in an ellipsis."""

type Replacement = tuple[int, int, str]
"""From where to where a placeholder takes the place of the text."""

_PLACEHOLDER = re.compile(r"(‹(?:number|uuid|date|time|amount|e-mail|text|id)›)")

# Which digits a value has decides nothing, so messages that differ in no more than their digits are read once. As bytes,
# which are translated in a fifth of the time: no byte of another character is that of a digit.
_ALIKE = bytes.maketrans(b"123456789", b"000000000")

_TIME = r"\d{1,2}:\d{2}(?: :\d{2}(?:[.,]\d++)?+ )?+ (?:[ ]?[AaPp][Mm]\b)?+ (?:Z|[ ]?[+-]\d{2}:?\d{2}\b)?+"
_MONTH = r"(?:jan|feb|mar|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cs])"
_CURRENCY = r"(?:kr|nok|sek|dkk|eur|usd|gbp)"
_DIGITS = r"[-+−]?\d++(?:[-–/.,:]\d++)*+"

# One token after another, without a gap: the last three take what the others left, so that every start succeeds. A quote
# that nothing closes is no quote, and no later start of its kind looks for that end again.
_TOKEN = re.compile(
    rf"""
    (?: (?<!\S) (?:[^\s\d@"'`«„“‘]*+\s++)*+ )?+    # whole words in which nothing can vary
    (?: (?P<quoted>
          (?<!\\)"(?:[^"\\]|\\.)*+" | `[^`]*+` | «[^«»‹]*+» | „[^„“”‹]*+[“”] | “[^“”‹]*+”
          | (?<![\w›])'(?:[^']|(?<=\w)'(?=\w))*+'(?![\w‹]) | ‘(?:[^‘’‹]|(?<=\w)’(?=[\w‹]))*+’(?![\w‹]) )
      | (?P<email> (?<![\w.+%›-])[\w.+%-]++@[\w-]++(?:[.+%@-]++\w++)*+ )
      | (?P<uuid> [\da-f]{{8}}-(?:[\da-f]{{4}}-){{3}}[\da-f]{{12}}(?![\w-]) )
      | (?P<date>
          (?: \d{{4}}(?P<a>[-./])\d{{1,2}}(?P=a)\d{{1,2}} | \d{{1,2}}(?P<b>[-./])\d{{1,2}}(?P=b)(?:\d{{4}}|\d{{2}})
            | \d{{1,2}}\.?[ ]{_MONTH}[a-z]*+\.?,?[ ]\d{{4}} )
          (?: (?:T|,?[ ]){_TIME} )?+ (?!\w|[-./:]\d) )
      | (?P<time> {_TIME} (?![\w:]) )
      | (?P<amount>
          [-+−]? (?: \d{{1,3}}(?P<c>[ .,])\d{{3}}(?!\d)(?:(?P=c)\d{{3}}(?!\d))*+ | \d++ )
          (?: [.,]\d{{2}}(?!\w|[-–/.,:]\d) | ,-(?!\w) | (?=[ ]?{_CURRENCY}\b) ) )
      | (?P<number> [-+−]?\d{{1,3}}(?:[ ]\d{{3}})++(?!\w) | {_DIGITS} (?!\w|-[^\W\d]*+\d) )
      | (?P<mixed> {_DIGITS} [\w-]*+ )
      | (?P<word> \w++(?:-\w++)*+ )
      | . | \Z )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)

# The words directly before a value tell what it is. Those of more than one word come first, as "postal code 12" is no code.
_LABEL = re.compile(
    rf"""
    (?: (?P<code> \b(?:https?(?:/0(?:\.0)?)?|status|(?:err|error|feil)(?![ ]?:))(?:[ _-]?(?:code|kode))?+ )
      | (?P<value> (?:post(?:al)?|zip|country|land|currency|valuta|customer|kunde|product|produkt|bank)[ _-]?(?:code|kode) )
      | (?P<code_alone> code | kode | feil(?![ ]?:) )
      | (?P<value_alone> \b(?:invoice|faktura|customer|kunde|case|sak|order|ordre|debtor|creditor|kid)\b | nummer | number | nr )
      | (?P<amount> (?:amount|bel[øo]p|sum|total|\b{_CURRENCY}\.?)(?:[ ]of|[ ]på)?+ ) )
    (?:[ _]?(?:no|nr|number|nummer|id)\b)?+ \.? ["'«“„‘`: =\#/]{{0,4}} \Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LABEL_LENGTH = 30  # characters before a value that are looked at

_CODE = re.compile(r"-?\d{1,4}(?:\.\d)?")
_MOST_DIGITS = 4  # of a short code such as ERR-1042
_TALLY = re.compile(r"\d[A-Z]{1,3}")  # 2FA
_SERIAL = re.compile(r"[^\W\d_]{0,10}(?:[-_]?\d++)++")
_INVOICE = re.compile(r"(?:inv|invoice|fak|faktura|ord|order|ordre|cust|kunde|sak)[-_]?\d++", re.IGNORECASE)
# Hexadecimal digits of both kinds, or longer than any name of a field.
_HASH = re.compile(r"(?=\D*+\d)(?=\d*+[a-f])[\da-f]{8,}|.{41,}", re.IGNORECASE)

# Quotes hold the name of a field, a code or a word of an enumeration; or else what somebody or something is called.
_NAME = re.compile(
    r"""
    (?: [$@]?+[_a-zæøå]\w*+ | \$ | [A-ZÆØÅ][A-ZÆØÅ\d_]*+ | (?:[A-Z][a-z\d]++){2,}+ ) (?: [-.][\w‹›-]++ | \[[^]\s"']*+\] )*+
    | (?:[^\W\d_]++[ ]){0,3}?
      (?i:date|id|number|code|amount|name|address|e-?mail|phone|type|currency|city|street|country|description|reference
         |dato|nummer|kode|beløp|navn|adresse|e-?post|telefon|valuta|poststed|gate|land|beskrivelse|referanse)
    """,
    re.VERBOSE,
)
_JSON = ('{"', '["', "[{", "{‹", "[‹")
_LOWER_WORD = re.compile(r"(?<!\S)[a-zæøå]++(?!\S)")


def fingerprint(message: str) -> str:
    """The template of a message: its text with placeholders for what varies."""
    text = _readable(message)
    template, replacements = _read(text.encode().translate(_ALIKE))
    return template or _replaced(text, replacements)


def parts(template: str) -> list[tuple[bool, str]]:
    """A template in pieces, each with whether it is a placeholder."""
    return [(bool(place % 2), part) for place, part in enumerate(_PLACEHOLDER.split(template)) if part]


def _readable(message: str) -> str:
    """Text of one line, without what cannot be seen: control characters, marks of direction, halves of characters."""
    text = message if len(message) <= LONGEST else _start(message)
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(each for each in text if each.isprintable() or each.isspace()).split())


def _start(message: str) -> str:
    """As many whole words as count; half a word would not be the same word twice."""
    start, space, _ = message[: LONGEST - 1].rpartition(" ")
    return (start if space else message[: LONGEST - 1]) + "…"


def _shortened(template: str) -> str:
    """No more than the longest template, and no half of a placeholder at its end."""
    start = template[: LONGEST - 1]
    if start.rfind("‹") > start.rfind("›"):
        start = start[: start.rfind("‹")]
    return start + "…"


@lru_cache(maxsize=4096)
def _read(alike: bytes) -> tuple[str, tuple[Replacement, ...]]:
    """The template of a text whose digits are all alike, unless any of them stay; and what is replaced in it."""
    text = alike.decode()
    replacements = tuple(_replacements(text, 0, len(text)))
    template = _replaced(text, replacements)
    return "" if "0" in template else template, replacements


def _replaced(text: str, replacements: Iterable[Replacement]) -> str:
    pieces, end = list[str](), 0
    for start, stop, placeholder in replacements:
        pieces += text[end:start], placeholder
        end = stop
    template = "".join(pieces) + text[end:]
    return template if len(template) <= LONGEST else _shortened(template)


def _replacements(text: str, start: int, end: int, since: int = 0) -> Iterator[Replacement]:
    """What gives way between start and end. What came before `since` did, and so says nothing of what follows it."""
    for match in _TOKEN.finditer(text, start, end):
        for replacement in _of_token(text, match, since):
            yield replacement
            since = replacement[1]


def _of_token(text: str, match: re.Match[str], since: int) -> Iterable[Replacement]:
    kind = match.lastgroup
    if kind is None:
        return ()
    start, end = match.span(kind)
    if kind == "quoted":
        return _in_quotes(text, start, end, since)
    placeholder = _placeholder(kind, text, start, end, since)
    return ((start, end, placeholder),) if placeholder else ()


def _in_quotes(text: str, start: int, end: int, since: int) -> Iterable[Replacement]:
    inside = list(_replacements(text, start + 1, end - 1, since))
    begins_with_value = bool(inside) and inside[0][0] == start + 1
    if begins_with_value and inside[0][1] == end - 1:
        return [(start, end, inside[0][2])]
    is_name = not begins_with_value and _NAME.fullmatch(text, start + 1, end - 1)
    if is_name or _stays(text, start, end):
        return inside
    return [(start, end, "‹text›")]


def _stays(text: str, start: int, end: int) -> bool:
    """Of JSON, names before a colon and sentences stay; and everywhere what holds a placeholder already."""
    content = text[start + 1 : end - 1]
    is_json = text.startswith(_JSON)
    return "‹" in content or (is_json and (text.startswith(":", end) or len(_LOWER_WORD.findall(content)) > 1))


def _placeholder(kind: str, text: str, start: int, end: int, since: int) -> str | None:
    """What takes the place of a token, if anything does."""
    match kind:
        case "word":
            return _of_word(text, start, end, since) if "0" in text[start:end] else None
        case "number":
            return _of_number(text, start, end, since)
        case "mixed":
            return None if _TALLY.fullmatch(text, start, end) else "‹id›"
        case "email":
            return "‹e-mail›"
    return f"‹{kind}›"


def _of_number(text: str, start: int, end: int, since: int) -> str | None:
    label = _label(text, since, start)
    if label == "code" and _CODE.fullmatch(text, start, end):
        return None
    return "‹amount›" if label == "amount" else "‹number›"


def _of_word(text: str, start: int, end: int, since: int) -> str | None:
    if _HASH.fullmatch(text, start, end):
        return "‹id›"
    has_few_digits = text.count("0", start, end) <= _MOST_DIGITS and not _INVOICE.fullmatch(text, start, end)
    if has_few_digits and _label(text, since, start) != "value":
        return None
    return "‹number›" if _SERIAL.fullmatch(text, start, end) else "‹id›"


def _label(text: str, since: int, start: int) -> str:
    """What the words before a value say that it is: a code, a value, an amount; or nothing."""
    label = _LABEL.search(text, max(since, start - _LABEL_LENGTH), start)
    return (label.lastgroup or "").removesuffix("_alone") if label else ""
