"""What an invented batch holds: creditors, their invoices, and what can be wrong with one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, Literal
from uuid import UUID

type Row = dict[str, Any]
type Generation = Literal["A", "C"]


@dataclass(frozen=True)
class Creditor:
    """An organisation that sends invoices, with the generation of answers that it gets."""

    id: UUID
    name: str
    number: str
    generation: Generation
    invoice_style: str
    typed: bool = True
    """Whether its succeeded rows say their `$type`."""
    failed_shape: Literal["listed", "flat", "nested"] = "listed"
    """How its failed items look in generation C, where the documentation does not say."""
    first_index: int = 0
    """The index of a batch's first object in its answers: nobody documented that either."""


CREDITORS = (
    Creditor(UUID("7bc05553-4b68-44e8-b7bc-37be63c6d9e9"), "Nordlys Kraft AS", "99887", "A", "2026-{:06d}"),
    Creditor(UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6"), "Sørvest Bredbånd", "99431", "C", "INV-2026-{:06d}"),
    Creditor(UUID("b1c9e0a4-3f0d-4d6e-9c55-0c2f7a61d803"), "Fjell Tannklinikk", "98120", "A", "F{:06d}", first_index=1),
    Creditor(UUID("0d5e7f36-92ab-4c1f-8e47-5b8a1f3c6e94"), "Kommune A", "97005", "C", "30{:06d}", False, "flat"),
    Creditor(
        UUID("e84a6b12-7c3d-4f95-a0d8-6f1e2b9c4d57"), "Bølge Trening AS", "98764", "C", "BT{:06d}", True, "nested"
    ),
)


PUNCTUAL = Creditor(
    UUID("5c2f9d81-6b7e-4a30-9f14-d3e0a8c75b26"), "Vestlia Renovasjon", "96340", "C", "VR{:06d}", True, "listed"
)
"""Sends one batch on each working day, at the same time; now and then it forgets to."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with an object: a text of CAUSES, and what stands in its gaps."""

    objectname: str
    text: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What the answer says of it."""
        return self.text.format_map(self.values)


CAUSES = (
    ("Debtor", "Debtor is missing nationalId"),
    ("Invoice", "Invoice number {number} already exists for creditor {creditor}"),
    ("Invoice", "Due date {due} is before invoice date {date}"),
    ("Invoice", "Unknown currency {currency}"),
    ("Debtor", "Postal code {postcode} is not valid"),
    ("Invoice", "Amount {amount} must be greater than zero"),
    ("Debtor", "Country code {country} is not supported"),
    ("Debtor", "Organisation number {short} must have nine digits"),
    ("Invoice", "KID {kid} does not pass its check digit"),
    ("Invoice", "Collection notice date is missing"),
    ("Debtor", "E-mail address is not valid"),
    ("Creditor", "Creditor {creditor} has no active agreement for type PAYMENT_REMINDER"),
    ("Invoice", "Field description is longer than 200 characters ({length})"),
)


def uuid_text(random: Random) -> str:
    """A random version 4 UUID as text; several times faster than by way of `UUID`."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@cache
def recurring_cases(creditor: Creditor) -> list[str]:
    """The cases that come back in batch after batch, because a debtor did not pay the last invoice either."""
    random = Random(f"cases of {creditor.id}")
    return [uuid_text(random) for _ in range(40)]


class Rows:
    """The rows of one batch. The same seed gives the same rows, whichever are asked for and in whatever order."""

    def __init__(self, creditor: Creditor, seed: int, objects: int, failed: int) -> None:
        self.creditor = creditor
        self._seed = seed
        random = self._random("objects")
        self._first = random.randrange(100_000, 800_000)
        self._failed = random.sample(range(objects), failed)
        self._succeeded = sorted(set(range(objects)).difference(self._failed))

    def succeeded(self) -> list[Row]:
        """One row for each invoice that went through, in the order that it was sent."""
        random = self._random("succeeded")
        return [self._success(random, self.number(index)) for index in self._succeeded]

    def errors(self) -> list[Row]:
        """Generation A's error rows: in no order of index, and now and then several about one object."""
        return [
            {"objectname": finding.objectname, "objectindex": self._told(index), "message": finding.message}
            for index, findings in self.findings()
            for finding in findings
        ]

    def responses(self) -> list[Row]:
        """Generation A's ledger responses."""
        random = self._random("responses")
        return [
            {
                "objectname": "Invoice",
                "objectindex": self._told(index),
                "ledgerref": f"{self.creditor.number}{self._first + index:07d}",
                "status_statuscode": "1" if random.random() < 0.9 else "2",
            }
            for index in self._succeeded
        ]

    def failed(self) -> list[Row]:
        """Generation C's failed items. Each creditor has its own shape, as nobody documented the real one."""
        return [self._failure(index, findings) for index, findings in self.findings()]

    def number(self, index: int) -> str:
        """The invoice number of an object, counted from zero."""
        return self.creditor.invoice_style.format(self._first + index)

    def findings(self) -> Iterator[tuple[int, list[Finding]]]:
        """Each failed object with what is wrong with it; a batch has few causes, and every tenth object has two."""
        random = self._random("faults")
        causes = random.sample(CAUSES, 4)
        for place, index in enumerate(self._failed, start=1):
            chosen = random.sample(causes, 2) if place % 10 == 0 else random.choices(causes, (60, 25, 10, 5))
            yield index, [Finding(name, text, self._values(random, text, index)) for name, text in chosen]

    def _random(self, purpose: str) -> Random:
        return Random(f"{purpose} of {self._seed}")

    def _told(self, index: int) -> int:
        return index + self.creditor.first_index

    def _success(self, random: Random, number: str) -> Row:
        case = random.choice(recurring_cases(self.creditor)) if random.random() < 0.06 else uuid_text(random)
        if self.creditor.generation == "A":
            return {
                "$type": "invoiceSuccess",
                "invoiceNumber": number,
                "caseId": case,
                "invoiceId": uuid_text(random),
            }
        kind = {"$type": "invoiceSuccess"} if self.creditor.typed else {}
        return kind | {"invoiceId": uuid_text(random), "invoiceNumber": number, "caseId": case}

    def _values(self, random: Random, text: str, index: int) -> dict[str, str]:
        if "{" not in text:
            return {}
        month = random.randint(1, 11)
        return {
            "number": self.number(index),
            "creditor": self.creditor.number,
            "due": f"2026-{month:02d}-{random.randint(1, 28):02d}",
            "date": f"2026-{month + 1:02d}-{random.randint(1, 28):02d}",
            "currency": random.choice(("XXX", "NKR", "KR", "nok")),
            "postcode": random.choice(("0000", "9999", "12", "N-0150")),
            "amount": random.choice(("0.00", "-125.00", "-1.50")),
            "country": random.choice(("XX", "NORGE", "UK")),
            "short": str(random.randint(10_000_000, 99_999_999)),
            "kid": str(random.randint(10**11, 10**12 - 1)),
            "length": str(random.randint(201, 900)),
        }

    def _failure(self, index: int, findings: list[Finding]) -> Row:
        messages = [finding.message for finding in findings]
        objectname = findings[0].objectname
        match self.creditor.failed_shape:
            case "listed":
                return {"invoiceNumber": self.number(index), "objectIndex": self._told(index), "errors": messages}
            case "flat":
                told = {"objectindex": self._told(index), "objectname": objectname}
                return {**told, "message": messages[0], "details": messages[1:]}
            case "nested":
                error = {"code": "VALIDATION", "target": objectname, "messages": messages}
                return {"$type": "invoiceFailure", "invoiceNumber": self.number(index), "error": error}
