"""Invented error messages of forty kinds, some of which differ in no more than a short code."""

from collections.abc import Callable
from random import Random
from uuid import UUID

TEMPLATES = (
    "Debtor is missing nationalId",
    "Debtor is missing email",
    "Invoice number {number} already exists for creditor {short}",
    "Invoice '{number}' was sent before, in batch {uuid}",
    "Due date {date} is before invoice date {date}",
    "Due date {date} has passed (ERR-1042)",
    "Due date {date} has passed (ERR-1043)",
    "Unknown currency XXX of invoice {number}",
    "Unknown currency NKR of invoice {number}",
    "Postal code {short} is not valid",
    "Amount {amount} must be greater than zero",
    "Amount {amount} exceeds the limit of {amount}",
    "HTTP 404: no debtor at {email}",
    "HTTP 503: no debtor at {email}",
    "The register answered with status 500 after {short} ms",
    "The register answered with status 429 after {short} ms",
    "E104: debtor {name} is bankrupt",
    "E105: debtor {name} is deceased",
    "AC_003 rejected case {uuid}",
    "AC_004 rejected case {uuid}",
    "KID {long} does not pass its check digit",
    "Organisation number {long} must have nine digits",
    "Field 'description' is longer than 200 characters ({short})",
    "Field 'debtor.address.street' is longer than 200 characters ({short})",
    "invoices[{short}].originalInvoiceAmount is not a number",
    "invoices[{short}].invoiceDate is not a date",
    "No active agreement for type PAYMENT_REMINDER at {stamp}",
    "No active agreement for type NOTICE at {stamp}",
    "E-mail address {email} is not valid",
    "Phone number {long} is not valid",
    "Skyldner {name} finnes ikke i folkeregisteret",
    "Skyldner {name} er registrert som utflyttet",
    "Faktura {number} finnes fra før",
    "Faktura {number} er allerede betalt med kr {amount}",
    "Beløp {amount} er lavere enn gebyret",
    "Forfallsdato {norwegian} er før fakturadato {norwegian}",
    "Avvist av banken, feilkode 33, konto {long}",
    "Avvist av banken, feilkode 34, konto {long}",
    "EHF kan ikke sendes til {long}",
    "Kundenr. {short} er sperret fra {norwegian}",
)

_NAMES = ("Ola Nordmann", "Kari O'Brien", "Åse Bø", "Fjell & Fjord AS", "Jean-Luc P.", "Nguyễn Thị Minh")
_STYLES = ("2026-{:06d}", "INV-2026-{:06d}", "F{:06d}", "30{:06d}", "BT{:06d}")

_VALUES: dict[str, Callable[[Random], str]] = {
    "number": lambda random: random.choice(_STYLES).format(random.randrange(10**6)),
    "short": lambda random: str(random.randint(10, 99_999)),
    "long": lambda random: str(random.randint(10**7, 10**12)),
    "uuid": lambda random: str(UUID(int=random.getrandbits(128))),
    "date": lambda random: f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
    "norwegian": lambda random: f"{random.randint(1, 28)}.{random.randint(1, 12):02d}.2026",
    "stamp": lambda random: f"2026-10-{random.randint(1, 28):02d}T12:00:{random.randint(0, 59):02d}.1234567+02:00",
    "amount": lambda random: f"{random.randint(-999, 999)}.{random.randint(0, 99):02d}",
    "email": lambda random: f"debtor{random.randrange(10**6)}@post{random.randrange(99)}.example",
    "name": lambda random: f'"{random.choice(_NAMES)}"',
}


def message_of(template: str, random: Random) -> str:
    """A message of one kind, with values of its own."""
    values = {name: value(random) for name, value in _VALUES.items() if f"{{{name}}}" in template}
    return template.format(**values)
