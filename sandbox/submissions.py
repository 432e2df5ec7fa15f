"""The file that was submitted for a batch: what whoever tries the dashboard would have on their own disk.

An invoice is flat here, its names those of a spreadsheet's columns. What an answer finds wrong with an object is wrong
with the same object of the file, with the same value.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from sandbox.batch import Batch
from sandbox.rows import Finding, Row, Rows

MENTIONED_ALL = 100
"""From as many objects on, the old generation of answers never mentions the last few of those that were sent."""
UNMENTIONED = 3

_FIRST_NAMES = ("Åse", "Bjørn", "Dag", "Eli", "Gunnar", "Ingrid", "Jørgen", "Kari", "Mohammed", "Nguyễn", "Ola", "Siv")
_LAST_NAMES = ("Bø", "Dahl", "Hansen", "Haugen", "Lie", "Moe", "Nordmann", "O'Brien", "Solberg", "Sæther", "Øye", "Ås")
_STREETS = ("Fjellveien", "Kirkegata", "Nedre gate", "Skogstien", "Storgata", "Sjøgata")
_PLACES = (("0150", "Oslo"), ("4006", "Stavanger"), ("5003", "Bergen"), ("7010", "Trondheim"), ("9008", "Tromsø"))

# What each cause does to the object that it is found in. A gap stands for the value that the message names.
_DAMAGE: dict[str, Row] = {
    "Debtor is missing nationalId": {"debtor.nationalId": None},
    "Due date {due} is before invoice date {date}": {"dueDate": "{due}", "invoiceDate": "{date}"},
    "Unknown currency {currency}": {"currency": "{currency}"},
    "Postal code {postcode} is not valid": {"debtor.address.postalCode": "{postcode}"},
    "Amount {amount} must be greater than zero": {"originalInvoiceAmount": "{amount}"},
    "Country code {country} is not supported": {"debtor.address.countryCode": "{country}"},
    "Organisation number {short} must have nine digits": {"debtor.type": "COMPANY", "debtor.nationalId": "{short}"},
    "KID {kid} does not pass its check digit": {"description": "KID {kid}"},
    "Collection notice date is missing": {"collectionNoticeDate": None},
    "E-mail address is not valid": {"debtor.email": "post(at)example.no"},
    "Creditor {creditor} has no active agreement for type PAYMENT_REMINDER": {"type": "PAYMENT_REMINDER"},
}
_ENDLESS = "Field description is longer than 200 characters ({length})"


def invoices(batch: Batch) -> Iterator[Row]:
    """Everything that was sent, in its order."""
    rows = Rows(batch.creditor, batch.id.int, batch.objects, batch.failed)
    random = Random(f"submission of {batch.id.int}")
    findings = dict(rows.findings())
    is_partly_mentioned = batch.creditor.generation == "A" and batch.objects >= MENTIONED_ALL
    for index in range(batch.objects + UNMENTIONED * is_partly_mentioned):
        invoice = _invoice(random, rows.number(index), batch.born.date())
        for finding in findings.get(index, ()):
            invoice |= _damage(finding)
        yield invoice


def as_json(batch: Batch) -> bytes:
    """As a program submits it."""
    return json.dumps({"invoices": [_nested(each) for each in invoices(batch)]}, ensure_ascii=False, indent=1).encode()


def _invoice(random: Random, number: str, sent: date) -> Row:
    issued = sent - timedelta(days=random.randint(40, 70))
    due = issued + timedelta(days=14)
    return {
        "type": "NOTICE",
        "invoiceNumber": number,
        "vat": random.random() < 0.8,
        "fees": random.random() < 0.5,
        "originalInvoiceAmount": random.randrange(10_000, 900_000) / 100,
        "currency": "NOK",
        "invoiceDate": issued.isoformat(),
        "dueDate": due.isoformat(),
        "collectionNoticeDate": (due + timedelta(days=14)).isoformat(),
        "uniqueSourceInvoiceId": f"erp-{random.randrange(10**8):08d}",
        "description": f"Services of {issued:%B %Y}",
        **_debtor(random),
    }


def _debtor(random: Random) -> Row:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    postal_code, city = random.choice(_PLACES)
    return {
        "debtor.type": "PRIVATE",
        "debtor.firstName": first,
        "debtor.lastName": last,
        "debtor.nationalId": _national_id(random),
        "debtor.email": f"debtor{random.randrange(10**6)}@example.no",
        "debtor.phone": f"+479{random.randrange(10**7):07d}",
        "debtor.address.street": f"{random.choice(_STREETS)} {random.randint(1, 120)}",
        "debtor.address.postalCode": postal_code,
        "debtor.address.city": city,
        "debtor.address.countryCode": "NO",
    }


def _national_id(random: Random) -> str:
    """Of a person who does not exist: such numbers have 80 added to the month. Its control digits are right."""
    while True:
        born = (
            f"{random.randint(1, 28):02d}{random.randint(81, 92)}{random.randrange(100):02d}{random.randrange(500):03d}"
        )
        first = _control_digit(born, (3, 7, 6, 1, 8, 9, 4, 5, 2))
        second = _control_digit(born + first, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
        if len(first + second) == 2:
            return born + first + second


def _control_digit(digits: str, weights: tuple[int, ...]) -> str:
    """Of more than one character if there is none."""
    return str(-sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11)


def _damage(finding: Finding) -> Row:
    if finding.text == _ENDLESS:
        return {"description": "x" * int(finding.values["length"])}
    damage = _DAMAGE.get(finding.text, {})
    damage = {name: value and value.format_map(finding.values) for name, value in damage.items()}
    if "originalInvoiceAmount" in damage:
        damage["originalInvoiceAmount"] = float(damage["originalInvoiceAmount"])
    return damage


def _nested(invoice: Row) -> Row:
    """{"debtor.address.city": …} -> {"debtor": {"address": {"city": …}}}."""
    whole: Row = {}
    for name, value in invoice.items():
        *path, last = name.split(".")
        place: dict[str, Any] = whole
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return whole
