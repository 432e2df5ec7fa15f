"""What is looked for in a plain text: of each kind, the ways in which people and systems write it."""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from itertools import accumulate

from stdnum import iban, numdb
from stdnum.iso7064 import mod_97_10
from stdnum.no import fodselsnummer, kontonr

type Span = tuple[int, int, str]
"""Where something stands, and its value as it is compared with others."""


class Kind(StrEnum):
    """What is masked."""

    EMAIL = "e-mail"
    ACCOUNT = "account"
    NATIONAL_ID = "national ID"
    PHONE = "phone"


type Found = tuple[Span, Kind]

_KEPT = re.compile(
    r"(?<![^\W_])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![^\W_])"
    r"|(?<!\d)[12]\d{3}-[01]\d-[0-3]\d[t ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?!\d)"
)
_LOCAL = r"(?:[^\s@%<>()\[\]{},;:\"|=/\\‹›]|%(?!40))"
_AT, _DOMAIN = r"(?:@|%40)", r"[\w-]++(?:\.[\w-]++)"
_EMAIL = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}++(?:{_AT}{_DOMAIN}*|\s{{0,2}}{_AT}\s{{0,2}}{_DOMAIN}+)(?:{_LOCAL}*+{_AT}{_DOMAIN}*)*+"
)
_IBAN = re.compile(r"(?=([a-z]{2}\d{2}(?:[ .-]?[a-z0-9]){11,30}))")
_DIGITS = re.compile(r"\d+")
_SIGNS = r"[\W_]{1,12}+"
_CHAIN = re.compile(rf"\d+(?:{_SIGNS}\d+)*")
_ACCOUNT = re.compile(rf"(?<!\d)(?:\d{{11}}|\d{{4}}{_SIGNS}(?:\d{{7}}|\d\d{_SIGNS}\d{{5}}))(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(?:\d{11}|\d{6}[ -]\d{5})(?!\d)")
_GAP = r"[\s()./_-]{0,3}+"
_ALONE_BEFORE, _ALONE_AFTER = r"(?<![^\W_])(?<![^\W_][.,/-])", r"(?![^\W_])(?![.,/-][^\W_])"
_ABROAD = rf"{_GAP}[1-9](?:{_GAP}\d){{8,14}}+(?![.,]?\d)"
_PHONE = re.compile(
    rf"(?:\+|(?<!\d)00){_GAP}47(?:{_GAP}\d){{8}}(?!\d)"
    rf"|\+{_ABROAD}"
    r"|(?<!\d)[2-9]\d\d([ .-]{1,2})\d\d\1\d{3}(?!\d)"
    r"|(?<!\d)[2-9]\d([ .-]{1,2})\d\d\2\d\d\2\d\d(?!\d)"
    rf"|(?P<zeros>{_ALONE_BEFORE}00{_ABROAD})"
)
_CALLED_PHONE = re.compile(  # up to three words may follow, and before them such as "number", which may be one with it
    r"(?:tlf|telefon|telephone|phone|mobil|(?<![^\W_])(?:tel|mob|cell)(?![^\W_]))[^\W\d]{0,24}+"
    r"(?:\W{1,6}+[^\W\d]{1,24}+){0,4}+\W{0,6}+(?!\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4})"
    rf"((?:(?:00)?{_GAP}47{_GAP})?\d(?:{_GAP}\d){{7}})(?!,?\d)"
)
_MOBILE = re.compile(rf"{_ALONE_BEFORE}(?:47[2-9]\d{{7}}|[49]\d{{7}}|(?<!\d )[49]\d{{3}} \d{{4}}(?! \d)){_ALONE_AFTER}")
_LABEL = re.compile(r"(?:kid|invoice|faktura|order|ordre)[^\W\d]{0,12}\W{0,4}(?:(?:n[ro]|nummer|number)\W{0,4})?$")
_NUMBER_OF = re.compile(  # whatever the number looks like, even that of a phone: it may be what is wrong with it
    r"(?:(?:invoice|faktura|order|ordre|organi[sz]ation|organisasjons?|(?<![^\W_])org)[\W_]{0,4}(?:n[ro]|nummer|number)"
    r"|(?<![^\W_])kid(?:[\W_]{0,4}(?:n[ro]|nummer|number))?)[\W_]{0,4}$"
)


def found(plain: str) -> Iterator[Found]:
    """All there is, in no order; what one finder has found is blanked for those that come after it."""
    plain = _blanked(plain, [(*match.span(), "") for match in _KEPT.finditer(plain)])
    for kind, find in _FINDERS:
        spans = list(find(plain))
        yield from ((span, kind) for span in spans)
        plain = _blanked(plain, spans)


def found_national_ids(plain: str) -> Iterator[Found]:
    """Valid national IDs alone."""
    yield from ((span, Kind.NATIONAL_ID) for span in _national_ids(plain))


def _blanked(plain: str, spans: Sequence[Span]) -> str:
    """What is found is as a mark would be: nothing that others belong to."""
    if not spans:
        return plain
    pieces, end = list[str](), 0
    for start, stop, _ in spans:
        pieces += plain[end:start], f"‹{'x' * (stop - start - 2)}›"
        end = stop
    return "".join([*pieces, plain[end:]])


def _emails(plain: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(plain):
        yield *match.span(), re.sub(r"\s+", "", match[0].replace("%40", "@"))


def _ibans(plain: str) -> Iterator[Span]:
    end = 0
    for match in _IBAN.finditer(plain):
        shape = _iban_shape(match[1][:2])
        if match.start() >= end and shape and (written := shape.match(match[1])):
            number = re.sub(r"[ .-]", "", written[0])
            if mod_97_10.is_valid(number[4:] + number[:4]) and iban.is_valid(number, check_country=False):
                end = match.start() + written.end()
                yield match.start(), end, number[4:] if number.startswith("no") else number


@cache
def _iban_shape(country: str) -> re.Pattern[str] | None:
    """As many letters and digits as there are in this country; None of one without IBAN."""
    [(_, facts), *_] = numdb.get("iban").info(country.upper())
    if not facts:
        return None
    length = 4 + sum(map(int, re.findall(r"(\d+)!", facts["bban"])))
    return re.compile(rf"[a-z0-9](?:[ .-]?[a-z0-9]){{{length - 1}}}")


def _national_ids(plain: str) -> Iterator[Span]:
    """However the digits are grouped, without the zero in front that spreadsheets drop, or with one too many.

    Of those that overlap nobody knows which is meant: they go as one.
    """
    for groups in _chains(plain):
        spans = list[Span]()
        for start, stop, digits in _windows(groups):
            if not _is_national_id(digits):
                continue
            if spans and start < spans[-1][1]:
                first, end, number = spans.pop()
                spans.append((first, max(end, stop), number))
            else:
                spans.append((start, stop, digits.zfill(11)))
        yield from spans


def _chains(plain: str) -> Iterator[list[Span]]:
    """Groups of digits with nothing but signs and spaces between them."""
    for chain in _CHAIN.finditer(plain):
        if len(chain[0]) >= 10:
            yield [(*group.span(), group[0]) for group in _DIGITS.finditer(plain, *chain.span())]


def _windows(groups: Sequence[Span]) -> Iterator[Span]:
    """The neighbours that make eleven digits together, or twelve of which the first is 0, and single groups of ten."""
    digits = "".join(group for *_, group in groups)
    places = [0, *accumulate(len(group) for *_, group in groups)]
    ends = {place: stop for place, (_, stop, _) in zip(places[1:], groups, strict=True)}
    for place, (start, stop, group) in zip(places, groups, strict=False):
        if len(group) == 10:
            yield start, stop, group
        if end := ends.get(place + 11):
            yield start, end, digits[place : place + 11]
        if group[0] == "0" and len(group) > 2 and (end := ends.get(place + 12)):
            yield start, end, digits[place + 1 : place + 12]


@lru_cache(4096)
def _is_national_id(digits: str) -> bool:
    """By date and control digits, or as a help number of the health service, which begins with 8 or 9 and has no date."""
    number = digits.zfill(11)
    return (
        (number[0] in "89" or _has_birth_date(number))
        and number[9] == fodselsnummer.calc_check_digit1(number)
        and number[10] == fodselsnummer.calc_check_digit2(number)
    )


def _has_birth_date(number: str) -> bool:
    """Day and month, the day of a D-number 40 later, the month of an H-number and of invented people 40, 65 or 80."""
    day, month = int(number[:2]), int(number[2:4])
    return (day - 40 if day > 40 else day) in range(1, 32) and any(
        month - add in range(1, 13) for add in (0, 40, 65, 80)
    )


def _accounts(plain: str) -> Iterator[Span]:
    """Only as accounts are written: every eleventh number has their control digit."""
    for match in _ACCOUNT.finditer(plain):
        digits = re.sub(r"\D", "", match[0])
        if kontonr.is_valid(digits) and not _is_labelled(plain, match.start()):
            yield *match.span(), digits


def _mistyped_ids(plain: str) -> Iterator[Span]:
    for match in _COMPACT.finditer(plain):
        digits = re.sub(r"\D", "", match[0])
        if _has_birth_date(digits) and not _is_labelled(plain, match.start()):
            yield *match.span(), digits


def _phones(plain: str) -> Iterator[Span]:
    for match in _PHONE.finditer(plain):
        is_other = _is_other if match["zeros"] else _is_numbered
        if match[0][0] == "+" or not is_other(plain, match.start()):
            yield *match.span(), _subscriber(match[0])


def _called_phones(plain: str) -> Iterator[Span]:
    for match in _CALLED_PHONE.finditer(plain):
        if not _is_other(plain, match.start(1)):
            yield *match.span(1), _subscriber(match[1])


def _mobiles(plain: str) -> Iterator[Span]:
    for match in _MOBILE.finditer(plain):
        if not _is_other(plain, match.start()):
            yield *match.span(), _subscriber(match[0])


def _subscriber(phone: str) -> str:
    """The digits, of a Norwegian number without the code of the country."""
    digits = re.sub(r"\D", "", phone).removeprefix("00")
    return digits[2:] if len(digits) == 10 and digits.startswith("47") else digits


def _is_labelled(plain: str, start: int) -> bool:
    """Whether the text calls the number that begins there an invoice's, an order's or a KID."""
    return bool(_LABEL.search(plain, max(0, start - 40), start))


def _is_numbered(plain: str, start: int) -> bool:
    """Whether the text says right before it that this is the number of an invoice, an order or an organisation, or a KID."""
    return bool(_NUMBER_OF.search(plain, max(0, start - 40), start))


def _is_other(plain: str, start: int) -> bool:
    """The same, be it said in so many words or not."""
    return _is_labelled(plain, start) or _is_numbered(plain, start)


_FINDERS: Sequence[tuple[Kind, Callable[[str], Iterator[Span]]]] = (
    (Kind.EMAIL, _emails),
    (Kind.ACCOUNT, _ibans),
    (Kind.NATIONAL_ID, _national_ids),
    (Kind.ACCOUNT, _accounts),
    (Kind.NATIONAL_ID, _mistyped_ids),
    (Kind.PHONE, _phones),
    (Kind.PHONE, _called_phones),
    (Kind.PHONE, _mobiles),
)
