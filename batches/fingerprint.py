"""Which error messages say the same: a message without what varies in it.

`fingerprint` turns "Invoice number 2026-000123 already exists" into "Invoice number ‹number› already exists". What varies
from object to object gives way to a placeholder; what tells one fault from another stays: field names, short codes, HTTP
statuses, words. Where both readings are possible, the words before a value decide ("status 500", "invoice INV-12").

Messages are foreign text, so two things hold whatever they contain. Time: no more than `LONGEST` characters are read, by
possessive expressions of which each begins where the last one ended. And a template is its own template: it holds nothing
that varies. Text that already looks like a placeholder therefore stands as one, which at worst joins it with what it imitates.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

GROUPING = 1
"""The version of these rules. Every change of what any message becomes raises it."""

LONGEST = 1_000
"""Characters of a message that count, and that a template has at most; what was cut ends in an ellipsis."""

type Replacement = tuple[int, int, str]
"""From where to where a placeholder takes the place of the text."""

_PLACEHOLDER = re.compile(r"(‹(?:number|uuid|date|time|amount|e-mail|text|id)›)")

# Which digits a value has decides nothing, so messages that differ in no more than their digits are read once.
_ALIKE = "".join("0" if chr(code).isdigit() else chr(code) for code in range(128))

_TIME = r"\d{1,2}:\d{2}(?: :\d{2}(?:[.,]\d++)?+ )?+ (?:[ ]?[AaPp][Mm]\b)?+ (?:Z|[ ]?[+-]\d{2}:?\d{2}\b)?+"
_MONTH = r"(?:jan|feb|mar|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cs])"
_CURRENCY = r"(?:kr|nok|sek|dkk|eur|usd|gbp)"
_DIGITS = r"[-+−]?\d++(?:[-–/.,:]\d++)*+"

# One token after another, without a gap. The last two make every start succeed, so that none is read from twice.
_TOKEN = re.compile(
    rf"""
    (?: (?<!\S) (?:[^\s\d@"'`«„“‘]*+\s++)*+ )?+    # whole words in which nothing can vary
    (?: (?P<quoted>
          "(?:[^"\\]|\\.)*+" | `[^`]*+` | «[^«»]*+» | „[^„“”]*+[“”] | “[^“”]*+”
          | (?<!\w)'(?:[^']|(?<=\w)'(?=\w))*+'(?!\w) | ‘(?:[^‘’]|(?<=\w)’(?=\w))*+’ )
      | (?P<email> (?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]++)*+ )
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

# What the words before a value make of it; read in the few characters that stand directly before it.
_AFTER = r"(?:[ _]?(?:no|nr|number|nummer)\b\.?)?[\"': =#]{0,4}\Z"
_BEFORE_CODE = re.compile(
    r"\b(?:https?(?:/0(?:\.0)?)?|status|(?:[a-z]{1,12}[ _-]?)?(?:code|kode)|err|error|feil)" + _AFTER, re.IGNORECASE
)
_BEFORE_VALUE = re.compile(
    r"(?:\b(?:invoice|fakt|faktura|customer|kunde|case|sak|order|ordre|debtor|skyldner|creditor|kreditor|kid|ref|reference)"
    r"|\b(?:post|postal|zip|country|land|currency|valuta|bank|customer|kunde|product|produkt)[ _-]?(?:code|kode)"
    r"|(?:nr|nummer|number|no\.))" + _AFTER,
    re.IGNORECASE,
)
_BEFORE_AMOUNT = re.compile(rf"\b(?:[a-z]{{0,20}}(?:amount|bel[øo]p|sum|total)|{_CURRENCY}\.?)(?: of| på)?" + _AFTER, re.IGNORECASE)
_BEFORE = 40  # characters

_CODE = re.compile(r"-?\d{1,4}(?:\.\d)?")
_SERIAL = re.compile(r"[^\W\d_]{0,10}(?:[-_]?\d++)++")
_INVOICE = re.compile(r"(?:inv|invoice|fak|fakt|faktura|ord|order|ordre|cust|kunde|sak)[-_]?\d", re.IGNORECASE)
_HASH = re.compile(r"(?=.*\d)(?=.*[a-f])[\da-f]{8,}|.{41,}", re.IGNORECASE)
_TALLY = re.compile(r"\d[A-Z]{1,3}")  # 2FA, 3D
_MOST_DIGITS = 4  # of a short code, such as ERR-1042

# Quotes hold a name of a field, a code or a word of an enumeration; or else what somebody or something is called.
_FIELD = re.compile(
    r"[$@]?[^\W\dA-Z]\w*+(?:[-.]\w++|\[[^]\s]*+\])*+ | \$(?:[.]\w++|\[[^]\s]*+\])*+ | [A-Z\d]++(?:[-_.][A-Z\d]++)*+"
    r"| [A-Z][a-z]++(?:[A-Z][a-z]*+)++ (?:[.]\w++|\[[^]\s]*+\])*+"
    r"| (?:[^\W\d]++[ ])*+ X",
    re.VERBOSE,
)
