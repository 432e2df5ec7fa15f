"""Which messages say the same, and which do not."""

import json
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batches.fingerprint import LONGEST, fingerprint, parts
from benchmarks.messages import TEMPLATES, message_of

quick = settings(deadline=None, max_examples=300)

FRAGMENTS = st.sampled_from(
    [
        *"\"'`«»„“”‘’‹›@-–−+.,:;/()[]{}=#_\\ \t\n\0\u202e\u00a0",
        *("17", "2026", "1 234,50", "31.12.2026", "12:30", "INV-2026-000123", "E104", "a", "Ola", "nationalId", "ÆØÅ"),
        *(
            "status ",
            "HTTP/1.1 ",
            "code ",
            "invoice ",
            "nr. ",
            "kr ",
            "beløp ",
            "‹number›",
            '{"',
            '":',
            "is the",
            "x@y.no",
        ),
        *("3fa85f64-5717-4562-b3fc-2c963f66afa6", "a94a8fe5ccb19ba6", "\ud83d", "٣٤"),
    ]
)
HOSTILE = st.lists(FRAGMENTS | st.text(st.characters(categories=None), max_size=3), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("Debtor is missing nationalId", "Debtor is missing nationalId"),
        ("Row 17 of 500", "Row ‹number› of ‹number›"),
        ("Invoice number 2026-000123 already exists", "Invoice number ‹number› already exists"),
        ("INV-2026-000123, F000123, BT000123, 30000123", "‹number›, ‹number›, ‹number›, ‹number›"),
        ("Invoice INV-12 for customer K7", "Invoice ‹number› for customer ‹number›"),
        ("Faktura F12 til kundenr. K-7, fakturanr F1-22", "Faktura ‹number› til kundenr. ‹number›, fakturanr ‹number›"),
        ("Batch 3FA85F64-5717-4562-b3fc-2c963f66afa6 is gone", "Batch ‹uuid› is gone"),
        ("Due 2026-10-01, 31.12.2026 or 31/12/2026", "Due ‹date›, ‹date› or ‹date›"),
        ("At 2026-10-01T12:00:00.1234567+02:00 or 2026-10-01 12:00", "At ‹date› or ‹date›"),
        ("Forfall 3. mars 2026 kl. 12:30", "Forfall ‹date› kl. ‹time›"),
        ("0.00 or 1 234,50 or 1,234.50 or -125.00", "‹amount› or ‹amount› or ‹amount› or ‹amount›"),
        ("kr 500,- er 500 kr, NOK 500 is 500 NOK", "kr ‹amount› er ‹amount› kr, NOK ‹amount› is ‹amount› NOK"),
        ("Amount 5 is not Amount: 12.5", "Amount ‹amount› is not Amount: ‹amount›"),
        ("Write to ola.nordmann+faktura@post.example.no.", "Write to ‹e-mail›."),
        ("\"Ola\" 'Kari O'Brien' «Per P» “Ann” ‘Bo’ „Li“ `Al`", " ".join(["‹text›"] * 7)),
        ("The debtor's name or debtors' names", "The debtor's name or debtors' names"),
        ("Trace 0HMVD9K2J1N0P, hash a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "Trace ‹id›, hash ‹id›"),
        ("invoices[17].amount or 'invoices[17].amount'", "invoices[‹number›].amount or 'invoices[‹number›].amount'"),
        ("Path: $.invoices[0].vat | LineNumber: 12", "Path: $.invoices[‹number›].vat | LineNumber: ‹number›"),
        ("Invoice '2026-000123' of '31.12.2026'", "Invoice ‹number› of ‹date›"),
    ],
)
def test_what_varies_gives_way_to_a_placeholder(message: str, template: str) -> None:
    assert fingerprint(message) == template


@pytest.mark.parametrize(
    "message",
    [
        "HTTP 404 from the register",
        "HTTP/1.1 500 Internal Server Error",
        "Answered with status 500, status code: 404, code 12",
        "statuskode 7, feilkode 33, error 1042, feil nr. 12",
        "E104 ERR-1042 AC_003 NOK KID EHF B2B 2FA UTF-8",
        "'nationalId' and \"debtor.address.postalCode\"",
        "'National Id' and 'DueDate' and 'ERR-1042' and 'PAYMENT_REMINDER'",
        "Type PAYMENT_REMINDER is not active",
        "Fødselsnummer mangler på skyldner",
    ],
)
def test_what_tells_faults_apart_stays(message: str) -> None:
    assert fingerprint(message) == message


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Invoice 17 exists", "Invoice INV-2026-000123 exists"),
        ("Faktura «F12» finnes", "Faktura «30000123» finnes"),
        ("Postal code 0000 is not valid", "Postal code N-0150 is not valid"),
        ("Amount 0.00 is too low", "Amount -1 234,50 is too low"),
        ("Beløp 5 er for lavt", "Beløp 1.234,50 er for lavt"),
        ("Due 2026-10-01", "Due 31.12.2026"),
        ("'Ola' is unknown", '"Kari O\'Brien" is unknown'),
        ("Index\t17\r\nfailed", "Index 18 failed"),
        ("Index\0 17\u202e failed", "Index 18 failed"),
        ("Beløp 1\u00a0234,50", "Beløp 1 234,50"),
        ("12 rows", "‹number› rows"),
    ],
)
def test_messages_that_differ_in_values_only_are_the_same(one: str, another: str) -> None:
    assert fingerprint(one) == fingerprint(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Rejected: E104", "Rejected: E105"),
        ("Rejected (ERR-1042)", "Rejected (ERR-1043)"),
        ("Avvist med AC_003", "Avvist med AC_004"),
        ("HTTP 404", "HTTP 503"),
        ("HTTP/1.1 500", "HTTP/1.1 502"),
        ("status 500", "status 400"),
        ("Avvist, feilkode 33", "Avvist, feilkode 34"),
        ("Failed with code 12", "Failed with code 13"),
        ("error 1042", "error 1043"),
        ("nationalId is missing", "email is missing"),
        ("'nationalId' is missing", "'email' is missing"),
        ("'National Id' is missing", "'Due Date' is missing"),
        ("invoices[1].amount is missing", "invoices[1].vat is missing"),
        ("Currency NOK", "Currency SEK"),
        ("No agreement for PAYMENT_REMINDER", "No agreement for NOTICE"),
        ("Field addressLine1", "Field addressLine2"),
    ],
)
def test_messages_that_differ_in_a_code_a_status_or_a_field_stay_apart(one: str, another: str) -> None:
    assert fingerprint(one) != fingerprint(another)


def test_of_json_the_keys_and_the_sentences_stay() -> None:
    item = {
        "invoiceNumber": "INV-1",
        "Debtor Name": "Ola Nordmann",
        "due": "2026-10-01",
        "errorCode": 1042,
        "errors": ["Debtor 17 is missing nationalId"],
        "final": True,
    }
    assert fingerprint(json.dumps(item, separators=(",", ":"))) == (
        '{"invoiceNumber":‹number›,"Debtor Name":‹text›,"due":‹date›,"errorCode":1042,'
        '"errors":["Debtor ‹number› is missing nationalId"],"final":true}'
    )


def test_json_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    assert fingerprint('{"name":"Ola Nordmann","errors":["Row 17 of') == '{"name":‹text›,"errors":["Row ‹number› of'


def test_forty_kinds_of_messages_make_forty_templates() -> None:
    random = Random(4)
    messages = [message_of(template, random) for template in TEMPLATES for _ in range(500)]
    assert len(set(map(fingerprint, messages))) == len(TEMPLATES) == 40
    assert len(set(messages)) > 10_000


def test_parts_set_placeholders_apart_and_add_up_to_the_template() -> None:
    template = fingerprint("Invoice 17 of 'Ola' ‹not ours›")
    assert parts(template) == [
        (False, "Invoice "),
        (True, "‹number›"),
        (False, " of "),
        (True, "‹text›"),
        (False, " ‹not ours›"),
    ]
    assert parts("") == []


@quick
@given(HOSTILE | st.text(st.characters(categories=None)))
@example("'12's a b' c'")
@example("x'12' is 'y")
def test_a_template_is_its_own_template_whatever_the_message_holds(message: str) -> None:
    template = fingerprint(message)
    assert fingerprint(template) == template
    assert len(template) <= LONGEST
    assert template.isprintable()
    assert "".join(text for _, text in parts(template)) == template


@quick
@given(HOSTILE, st.integers(0, 10**9))
def test_the_digits_of_a_value_decide_nothing(message: str, number: int) -> None:
    """Messages that are alike but for their digits are read once; here each is met in another order."""
    digits = Random(number)
    other = "".join(digits.choice("0123456789") if each in "0123456789" else each for each in message)
    shape = [placeholder for is_placeholder, placeholder in parts(fingerprint(message)) if is_placeholder]
    assert [placeholder for is_placeholder, placeholder in parts(fingerprint(other)) if is_placeholder] == shape


ENDLESS: list[Callable[[int], str]] = [
    lambda length: "a-" * length,
    lambda length: "(" * length,
    lambda length: '"' * length + "x",
    lambda length: "'a " * length,
    lambda length: "„“‘«" * length,
    lambda length: '\\"' * length,
    lambda length: "@" * length,
    lambda length: "a@" * length,
    lambda length: "a." * length,
    lambda length: "1" * length,
    lambda length: "1 " * length,
    lambda length: "1 234 " * length,
    lambda length: "1.123 123" * length,
    lambda length: "1.1" * length + "a",
    lambda length: "1-a" * length,
    lambda length: "- " * length,
    lambda length: "status " * length,
    lambda length: "a1 " * length,
    lambda length: "\u202e" * length,
    lambda length: '{"' + "a b " * length,
    lambda length: "[{" * length,
]


@pytest.mark.parametrize("endless", ENDLESS)
def test_a_message_without_end_costs_no_more_than_its_beginning(endless: Callable[[int], str]) -> None:
    """Nothing after the longest part is looked at: a message of a megabyte is the same as one of a few kilobytes."""
    template = fingerprint(endless(500_000))
    assert template == fingerprint(endless(2 * LONGEST))
    assert template.endswith("…")
    assert len(template) <= LONGEST


def test_a_long_message_ends_at_a_whole_word() -> None:
    message = "word " * 198 + "2026-10-01T12:00:00 and more"
    assert fingerprint(message) == "word " * 197 + "word…"


def test_every_uuid_is_one() -> None:
    random = Random(1)
    uuids = (str(UUID(int=random.getrandbits(128))) for _ in range(1000))
    assert {fingerprint(f"Case {uuid}") for uuid in uuids} == {"Case ‹uuid›"}
