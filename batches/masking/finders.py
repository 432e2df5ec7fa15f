"""What is looked for in a plain text: of each kind, the ways in which people and systems write it."""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache

from stdnum import iban, numdb
from stdnum.no import fodselsnummer, kontonr

type Span = tuple[int, int, str]
"""Where something stands, and its value as it is compared with others."""


class Kind(StrEnum):
    """What is masked."""

    EMAIL = "e-mail"
    ACCOUNT = "account"
    NATIONAL_ID = "national ID"
    PHONE = "phone"


_KEPT = re.compile(
    r"(?<![^\W_])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![^\W_])"
    r"|(?<!\d)[12]\d{3}-[01]\d-[0-3]\d[t ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?!\d)"
)
_LOCAL = r"(?:[^\s@%<>()\[\]{},;:\"|=/\\]|%(?!40))"
_EMAIL = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++(?:@|%40)[\w-]++(?:\.[\w-]++)*")
_IBAN = re.compile(r"(?=([a-z]{2}\d{2}(?:[ .-]?[a-z0-9]){11,30}))")
_DIGITS = re.compile(r"\d+")
_CHAIN = re.compile(r"\d+(?:[\W_]{1,12}+\d+)*")
_COMPACT = re.compile(r"(?<!\d)(?:\d{11}|\d{6}[ -]\d{5})(?!\d)")
_GAP = r"[\s()./_-]{0,3}+"
_PHONE = re.compile(
    rf"(?:\+|(?<!\d)00){_GAP}47(?:{_GAP}\d){{8}}(?!\d)"
    rf"|\+{_GAP}[1-9](?:{_GAP}\d){{8,14}}+(?![.,]?\d)"
    r"|(?<!\d)[2-9]\d\d([ .-]{1,2})\d\d\1\d{3}(?!\d)"
    r"|(?<!\d)[2-9]\d([ .-]{1,2})\d\d\2\d\d\2\d\d(?!\d)"
)
_CALLED_PHONE = re.compile(
    rf"(?:tlf|telefon|phone|mobil)[^\W\d]{{0,12}}+\W{{0,4}}+(?:n[ro]\W{{0,3}}+)?(\d(?:{_GAP}\d){{7}})(?!\d)"
)
_MOBILE = re.compile(r"(?<![^\W_])(?<![^\W_][.,/-])[49]\d{7}(?![^\W_])(?![.,/-][^\W_])")
_LABEL = re.compile(r"(?:kid|invoice|faktura|order|ordre)[^\W\d]{0,12}\W{0,4}(?:(?:n[ro]|nummer|number)\W{0,4})?$")


def found(plain: str) -> Iterator[tuple[Span, Kind]]:
    """All there is, in no order; what one finder has found is blanked for those that come after it."""
    plain = _blanked(plain, [(*match.span(), "") for match in _KEPT.finditer(plain)])
    for kind, find in _FINDERS:
        spans = list(find(plain))
        yield from ((span, kind) for span in spans)
        plain = _blanked(plain, spans)


def _blanked(plain: str, spans: Sequence[Span]) -> str:
    if not spans:
        return plain
    pieces, end = list[str](), 0
    for start, stop, _ in spans:
        pieces += plain[end:start], "x" * (stop - start)
        end = stop
    return "".join([*pieces, plain[end:]])


def _emails(plain: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(plain):
        yield *match.span(), match[0].replace("%40", "@")


def _ibans(plain: str) -> Iterator[Span]:
    end = 0
    for match in _IBAN.finditer(plain):
        length = _iban_length(match[1][:2])
        ends = [each.end() for each in re.finditer(r"[a-z0-9]", match[1])]
        if match.start() < end or not 0 < length <= len(ends):
            continue
        number = iban.compact(match[1][: ends[length - 1]])
        if iban.is_valid(number, check_country=False):
            end = match.start() + ends[length - 1]
            yield match.start(), end, number[4:] if number.startswith("NO") else number


@cache
def _iban_length(country: str) -> int:
    """0 of a country without IBAN."""
    [(_, facts), *_] = numdb.get("iban").info(country.upper())
    return 4 + sum(map(int, re.findall(r"(\d+)!", facts["bban"]))) if facts else 0


def _national_ids(plain: str) -> Iterator[Span]:
    """However the digits are grouped, and without the zero in front that spreadsheets drop."""
    for groups in _chains(plain):
        end = 0
        for start, stop, digits in _windows(groups):
            if start >= end and _is_national_id(digits):
                end = stop
                yield start, stop, digits.zfill(11)


def _chains(plain: str) -> Iterator[list[Span]]:
    """Groups of digits with nothing but signs and spaces between them."""
    for chain in _CHAIN.finditer(plain):
        if len(chain[0]) >= 10:
            yield [(*group.span(), group[0]) for group in _DIGITS.finditer(plain, *chain.span())]


def _windows(groups: Sequence[Span]) -> Iterator[Span]:
    """The neighbours that make eleven digits together, and single groups of ten."""
    for first, (start, stop, digits) in enumerate(groups):
        if len(digits) == 10:
            yield start, stop, digits
        for _, end, more in [(start, stop, ""), *groups[first + 1 : first + 11]]:
            digits += more
            if len(digits) == 11:
                yield start, end, digits
            if len(digits) >= 11:
                break


def _is_national_id(digits: str) -> bool:
    """By control digits and date, or as a help number of the health service, which begins with 8 or 9 and has no date."""
    number = digits.zfill(11)
    control = fodselsnummer.calc_check_digit1(number) + fodselsnummer.calc_check_digit2(number)
    return number[9:] == control and (number[0] in "89" or _has_birth_date(number))


def _has_birth_date(number: str) -> bool:
    """Day and month, the day of a D-number 40 later, the month of an H-number and of invented people 40, 65 or 80."""
    day, month = int(number[:2]), int(number[2:4])
    return (day - 40 if day > 40 else day) in range(1, 32) and any(
        month - add in range(1, 13) for add in (0, 40, 65, 80)
    )


def _accounts(plain: str) -> Iterator[Span]:
    """Only as accounts are written: every eleventh number has their control digit."""
    for groups in _chains(plain):
        end = 0
        for first, (start, *_) in enumerate(groups):
            for count in (1, 2, 3):
                window = groups[first : first + count]
                shape, digits = [len(group) for *_, group in window], "".join(group for *_, group in window)
                is_account = shape in ([11], [4, 7], [4, 2, 5]) and kontonr.is_valid(digits)
                if is_account and start >= end and not _is_labelled(plain, start):
                    end = window[-1][1]
                    yield start, end, digits


def _mistyped_ids(plain: str) -> Iterator[Span]:
    for match in _COMPACT.finditer(plain):
        digits = re.sub(r"\D", "", match[0])
        if _has_birth_date(digits) and not _is_labelled(plain, match.start()):
            yield *match.span(), digits


def _phones(plain: str) -> Iterator[Span]:
    for match in _PHONE.finditer(plain):
        digits = re.sub(r"\D", "", match[0]).removeprefix("00")
        yield *match.span(), digits[2:] if len(digits) == 10 and digits.startswith("47") else digits


def _called_phones(plain: str) -> Iterator[Span]:
    for match in _CALLED_PHONE.finditer(plain):
        yield *match.span(1), re.sub(r"\D", "", match[1])


def _mobiles(plain: str) -> Iterator[Span]:
    for match in _MOBILE.finditer(plain):
        if not _is_labelled(plain, match.start()):
            yield *match.span(), match[0]


def _is_labelled(plain: str, start: int) -> bool:
    """Whether the text calls the number that begins there an invoice's, an order's or a KID."""
    return bool(_LABEL.search(plain, max(0, start - 40), start))


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
