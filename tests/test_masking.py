"""What is masked in texts that others wrote, and what stays. All numbers are made here; none is a person's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban
from stdnum.no import fodselsnummer, kontonr

from batches.masking import Kind, Mask

ID, PHONE, ACCOUNT, EMAIL = (f"‹{kind} 1›" for kind in (Kind.NATIONAL_ID, Kind.PHONE, Kind.ACCOUNT, Kind.EMAIL))

quick = settings(deadline=None, max_examples=200)


def masked(text: str) -> str:
    return Mask().masked(text)


def completed(start: str) -> Iterator[str]:
    """The numbers that begin so and have the control digits of a national ID."""
    for serial in range(10 ** (9 - len(start))):
        nine = f"{start}{serial:0{9 - len(start)}}" if len(start) < 9 else start
        first = fodselsnummer.calc_check_digit1(nine)
        second = fodselsnummer.calc_check_digit2(nine + first) if len(first) == 1 else "10"
        if len(second) == 1:
            yield nine + first + second


def national_id(start: str = "010190") -> str:
    return next(completed(start))


def account(start: str = "8601111794") -> str:
    return next(start + digit for digit in "0123456789" if kontonr.is_valid(start + digit))


PERSON, HERS = national_id(), account()
MISTYPED = PERSON[:-1] + str((int(PERSON[-1]) + 1) % 10)


@st.composite
def national_ids(draw: st.DrawFn) -> str:
    day = draw(st.integers(1, 31)) + draw(st.sampled_from([0, 40]))
    month = draw(st.integers(1, 12)) + draw(st.sampled_from([0, 40, 65, 80]))
    start = f"{day:02}{month:02}{draw(st.integers(0, 99)):02}{draw(st.integers(0, 98)):02}"
    return draw(st.sampled_from(list(completed(start))))


SEPARATORS = [
    *("", "", "", " ", "-", ".", ":", "/", "_", ", ", " - ", "\n", "\t", "\xa0", "\u202f", "\u2009", "\u2011", "–"),
    *("\u200b", "\u2060", "\xad", "\ufeff", "\u202e", "\0", "\ud83d", "\u0301", "\ufe0f\u20e3", "\u3164"),
    *("&nbsp;", "&#160;", "\\u00a0", "\\n", "%20", '","'),
]
ZEROS = "0٠۰०０𝟎"
AROUND = ["", "x", "æ", "fnr:", "(", '"', "Debtor ", "=", "12 ", "2026-11-22 13:45:10 ", "№", "_"]


@quick
@given(
    national_ids(),
    st.lists(st.sampled_from(SEPARATORS), min_size=10, max_size=10),
    st.sampled_from(ZEROS),
    st.sampled_from(AROUND),
    st.sampled_from(["", "x", ".", '"', " kr", "!", ")", "</b>"]),
)
def test_no_national_id_survives_however_it_is_written(
    number: str, separators: list[str], zero: str, before: str, after: str
) -> None:
    digits = [chr(ord(zero) + int(digit)) for digit in number]
    written = "".join(part for pair in zip(digits, [*separators, ""], strict=True) for part in pair)
    shown = masked(before + written + after)
    assert shown.endswith(ID + after)
    assert shown.removesuffix(ID + after) in {before, ""}  # digits before it may belong to one that fits as well


@pytest.mark.parametrize("start", ["410190", "014190", "018190", "016690", "810190", "900000", "311299"])
def test_people_without_an_ordinary_number_are_masked_too(start: str) -> None:
    assert masked(f"Debtor {national_id(start)}") == f"Debtor {ID}"


def test_a_zero_that_a_spreadsheet_dropped_hides_nobody() -> None:
    assert masked(f"Debtor {PERSON[1:]} is {PERSON}") == f"Debtor {ID} is {ID}"
    assert masked(json.dumps({"id": int(PERSON)})) == f'{{"id": {ID}}}'


@pytest.mark.parametrize("written", [f"0{PERSON}", f"0{PERSON[:6]} {PERSON[6:]}", f"0 {PERSON}"])
def test_a_zero_too_many_hides_nobody(written: str) -> None:
    assert masked(f"Debtor {written}!") in {f"Debtor {ID}!", f"Debtor 0 {ID}!"}


@pytest.mark.parametrize(
    "written",
    [
        "".join(f"&#{ord(digit)};" for digit in PERSON),
        "".join(f"&#x{ord(digit):x};" for digit in PERSON),
        "".join(f"&amp;#{ord(digit)};" for digit in PERSON),
        "".join(f"%{ord(digit):x}" for digit in PERSON),
        "".join(f"\\u{ord(digit):04x}" for digit in PERSON),
        "".join(f"\\x{ord(digit):02X}" for digit in PERSON),
        f"{PERSON[:6]}%C2%A0{PERSON[6:]}",
        f"{PERSON[:6]}<b>{PERSON[6:]}",
        f'{PERSON[:6]}</b><i class="x">{PERSON[6:]}',
        f"{PERSON[:2]}&lt;br/&gt;{PERSON[2:]}",
    ],
)
def test_neither_escapes_nor_tags_hide_anybody(written: str) -> None:
    assert masked(f"Debtor {written} &amp; 100%20x") == f"Debtor {ID} & 100 x"


def test_escapes_and_tags_stay_where_they_hide_nothing() -> None:
    text = f"<b>A &amp; B</b> \\u00e5 100%20x &#49; {PERSON}"
    assert masked(text) == text.replace(PERSON, ID)


def test_what_may_be_a_mistyped_national_id_is_masked() -> None:
    assert masked(MISTYPED) == masked(f"{MISTYPED[:6]} {MISTYPED[6:]}") == ID
    assert masked(f"KID {MISTYPED}") == f"KID {MISTYPED}"
    assert masked(f"KID {PERSON}") == f"KID {ID}"


IN_FOUR_WAYS = [
    HERS,
    f"{HERS[:4]}.{HERS[4:6]}.{HERS[6:]}",
    f"{HERS[:4]} {HERS[4:6]} {HERS[6:]}",
    f"{HERS[:4]} {HERS[4:]}",
]


@pytest.mark.parametrize("written", IN_FOUR_WAYS)
def test_bank_accounts_are_masked(written: str) -> None:
    assert masked(f"Konto {written}.") == f"Konto {ACCOUNT}."
    assert masked(f"Konto {written.replace(' ', '\xa0')}.") == f"Konto {ACCOUNT}."


def test_an_account_and_its_iban_have_one_mark() -> None:
    whole = kontonr.to_iban(HERS)
    texts = [whole, whole.lower(), iban.format(whole), iban.format(whole).replace(" ", "-"), HERS]
    assert masked("; ".join(texts)) == "; ".join([ACCOUNT] * len(texts))


@pytest.mark.parametrize("written", ["GR1601101050000010547023795", "GB82 WEST 1234 5698 7654 32", "be31435411161155"])
def test_accounts_abroad_are_masked(written: str) -> None:
    assert masked(f"to {written}, please") == f"to {ACCOUNT}, please"


@pytest.mark.parametrize(
    "written",
    [
        "kari@example.no",
        "kari.nordmann+x@post.example.no",
        "KARI_1@example",
        "kåre@blåbær.no",
        "91234567@sms.example.no",
        "kari%40example.no",
        "kari\u200b@example.no",
        "kari＠example.no",
        "kari&#64;example.no",
        "kari&commat;example.no",
        "kari\\u0040example.no",
        "kari%2540example.no",
        "kari @ example.no",
        "kari @example.no",
        "kari@<b></b>example.no",
    ],
)
def test_addresses_of_mail_are_masked(written: str) -> None:
    assert masked(f"E-post:<{written}>, takk.") == f"E-post:<{EMAIL}>, takk."


@pytest.mark.parametrize(
    "written",
    [
        *("+47 912 34 567", "+4791234567", "0047 91 23 45 67", "(+47) 22334455".strip("("), "+47-22-33-44-55"),
        *("+46 70-123 45 67", "+45 12345678", "+1 (212) 555-0100", "＋47 912 34 567"),
        *("912 34 567", "22 33 44 55", "22-33-44-55", "22\xa033\xa044\xa055", "800 12 345"),
        *("91234567", "41234567", "٩١٢٣٤٥٦٧", "9123 4567", "4722334455", "0046701234567", "00 46 70 123 45 67"),
    ],
)
def test_phone_numbers_are_masked(written: str) -> None:
    assert masked(f"Ring {written}!") == f"Ring {PHONE}!"


@pytest.mark.parametrize(
    "word",
    [
        *("tlf. ", "Tlf.nr. ", "tlf. arb. ", "Tel ", "telefon:", "mobilnummer ", "MOBIL", "mobile: "),
        *(
            "Phone no. ",
            "phone number ",
            "phone number: ",
            "Phone number is ",
            "phone number of the debtor ",
            "phone '",
        ),
        *('"mobilePhone":"', '{"phone": "', "phoneNumber: ", "phone_number=", "phones: [", "Phone ("),
    ],
)
def test_what_is_called_a_phone_number_is_masked_whatever_it_begins_with(word: str) -> None:
    for written in ("12345678", "1234 5678", "4722334455", "47 22334455"):
        assert masked(f"{word}{written}") == masked(f"{word}{written}' is not valid")[:-14] == f"{word}{PHONE}"


def test_one_number_written_in_two_ways_has_one_mark() -> None:
    assert masked("+47 912 34 567 / 91234567 / 4791234567 / 92234567") == f"{' / '.join([PHONE] * 3)} / ‹phone 2›"


LABELS = [
    *(
        "organisation number ",
        "Organization number: ",
        "Organisation number '",
        "org.nr. ",
        "Org nr: ",
        "orgnr ",
        "ORG.NO ",
    ),
    *("organisasjonsnummer ", '"organizationNumber":"', "creditorOrganizationNumber=", "organization_number: "),
    *("KID ", "kid-nummer: ", "invoice number ", "Invoice no. (", "fakturanummer ", "fakturanr. ", "order_number="),
]


@pytest.mark.parametrize("label", LABELS)
def test_the_number_in_dispute_is_no_phone_whatever_it_looks_like(label: str) -> None:
    for number in ("91234567", "22 33 44 55", "912 34 567", "4722334455", "0047 912 34 567"):
        for text in (f"{label}{number}", f"Phone is wrong, {label}{number}' is not valid"):
            assert masked(text) == text


@pytest.mark.parametrize(
    "before",
    ["organisation ", "Göteborg nr ", "number ", "invoice number is wrong, ", "organisation number of ", "Invoice "],
)
def test_what_is_not_called_another_number_is_still_masked(before: str) -> None:
    assert masked(f"{before}912 34 567") == f"{before}{PHONE}"


@pytest.mark.parametrize("label", LABELS)
def test_no_label_saves_what_can_only_be_a_persons(label: str) -> None:
    for written, mark in (("+47 912 34 567", PHONE), (PERSON, ID), (f"{PERSON[:6]} {PERSON[6:]}", ID)):
        assert masked(f"{label}{written}") == f"{label}{mark}"


KEPT = f"""\
2026-000123
30000123
Invoice 40000123
Invoice 4722334455
Phone is missing for invoice 40000123
No phone on order number 22334455
hotel 12345678
Phone missing since 2026-11-22
Telefon mangler siden 22.11.2026
Phone bill of 12345678,50
Invoice 0046701234567
2026-00123456789
between 2024 2025
1234 9123 4567
fakturanr. 90000123
{{"invoiceNumber":"40000123"}}
F-91234567
KID 1234567890123
KID: {HERS}
KID-nummer 0047123456789012345
0000123456789
{"1" * 25}
987654321
NO 987 654 321 MVA
5579c111-9c50-47e2-a123-456745671234
12345678-1234-1234-1234-123456789012
1 234,50
91 234 567,00
-91234567.50
+1 234 567,00
22.11.2026
2026-11-22 13:45:10.123
02:07:07.000148
2026-11-22T13:45:10.1234567Z
20261122
HTTP 404 (E-1042), object 17 of 4812
x @ y
‹phone 1›
Ærlig talt – å nei"""


@pytest.mark.parametrize("kept", KEPT.splitlines())
def test_what_support_compares_stays(kept: str) -> None:
    assert masked(f"Feil: {kept} (avvist)") == f"Feil: {kept} (avvist)"


@quick
@given(
    st.uuids(),
    st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 -- given there
    st.integers(1, 10**6),
)
def test_ids_times_and_invoice_numbers_stay(uuid: object, at: datetime, number: int) -> None:
    text = f"{uuid} {at.isoformat()} invoice 2026-{number:06}"
    assert masked(text) == text


FRAGMENTS = st.sampled_from(
    [
        *("@", " ", ".", "/", ";", "&", "<", "b", ">", "</b>", "%", "%40", "&#49;", "&amp;", "\\u0031", "‹", "›", "¡"),
        *("+", "47", "00", "1", "91234567", PERSON, HERS, "NO93", "phone", "invoice ", "2026-11-22 13:45"),
    ]
)


@quick
@given(st.text() | st.lists(FRAGMENTS, max_size=14).map("".join))
def test_no_text_is_too_odd_and_masking_again_changes_nothing(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_equal_values_have_equal_marks_within_a_report_and_no_others() -> None:
    mask, other = Mask(), national_id("020290")
    assert mask.masked(f"{PERSON} {other}") == f"{ID} ‹national ID 2›"
    assert mask.masked(f"{other[:6]} {other[6:]}") == "‹national ID 2›"
    assert mask.counts == {Kind.NATIONAL_ID: 2}
    assert Mask().masked(other) == ID


def test_memory_does_not_grow_without_end_and_still_nothing_survives() -> None:
    mask = Mask(most=2)
    text = "a@example.no b@example.no c@example.no b@example.no"
    assert mask.masked(text) == "‹e-mail 1› ‹e-mail 2› ‹e-mail› ‹e-mail 2›"
    assert mask.counts == {Kind.EMAIL: 2}


def test_a_long_text_is_cut_and_no_value_is_shown_in_part() -> None:
    for place in range(100, 150):
        shown = Mask(longest=150).masked(f"{'x' * place} {PERSON} {'y' * 500}")
        assert not set(shown) & set("023456789")
        assert len(shown) < 200
        assert shown.endswith("… cut")
    assert masked("x" * 2_000) == "x" * 2_000


def test_an_invoice_number_stays_unless_it_is_a_national_id() -> None:
    mask = Mask()
    for number in ("40000123", "91234567", HERS, MISTYPED, "INV-2026-0001", "+4791234567"):
        assert mask.masked_number(number) == number
    for number in (PERSON, f"{PERSON[:6]} {PERSON[6:]}", f" {PERSON}\u200b"):
        assert mask.masked_number(number).strip() == ID
    assert mask.masked_number(f"F-{PERSON}") == f"F-{ID}"


HOSTILE = [
    "1",
    "1 ",
    "+1 ",
    "a@",
    "%",
    "NO93 ",
    "no93",
    "phone 1 ",
    "22 ",
    "kid ",
    "&#160;",
    "1\u0301",
    "x" * 99 + "@",
    "\\",
    "&#49;",
    "&amp;",
    "%25",
    "<b>1",
    "<a",
    "a @ ",
    "00 1",
]


@pytest.mark.parametrize(("unit", "end"), list(product(HOSTILE, ["", "x"])))
def test_a_long_hostile_text_is_read_to_its_end(unit: str, end: str) -> None:
    text = unit * (30_000 // len(unit)) + f" fnr {PERSON} " + end
    assert PERSON not in Mask(longest=len(text)).masked(text)
