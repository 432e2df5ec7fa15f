"""Which names a column may have that Amili's documentation or a Norwegian spreadsheet gives to a field. Knows no Django."""

import re
from collections.abc import Sequence

NUMBER = frozenset({"invoicenumber", "invoiceno", "invoicenr", "fakturanummer", "fakturanr"})
ID = frozenset({"invoiceid", "fakturaid"})
# https://docs.amili.dev/createinvoices-4148067e0 and its neighbours for corrections and payments
KNOWN = (
    NUMBER
    | ID
    | {"type", "vat", "fees", "originalinvoiceamount", "amount", "currency", "invoicedate", "duedate", "date"}
    | {"collectionnoticedate", "uniquesourceinvoiceid", "description", "customernumber", "nationalid", "kid"}
    | {"fakturadato", "forfallsdato", "forfall", "beløp", "valuta", "kundenummer", "fødselsnummer", "beskrivelse"}
)
WITHIN = 20
"""How many rows may stand above the header and with it."""
MOST_COLUMNS = 2_000

_NOT_IN_WORDS = re.compile(r"[\W_]+")


def plain(name: object) -> str:
    """`Invoice number`, `invoice_number` and `invoiceNumber` -> `invoicenumber`."""
    return _NOT_IN_WORDS.sub("", str(name).casefold())


def is_called(names: frozenset[str], cell: object) -> bool:
    """Whether it has one of these names, be it as the last part of a path such as `debtor.nationalId`."""
    return plain(cell) in names or plain(str(cell).rpartition(".")[2]) in names


def header_among(rows: Sequence[Sequence[object]]) -> tuple[int, int]:
    """(how many known columns, in which row) of the row that has most of them."""
    counts = [sum(is_called(KNOWN, cell) for cell in row) for row in rows[:WITHIN]]
    most = max(counts, default=0)
    return most, counts.index(most) if counts else 0


def column_of(names: frozenset[str], header: Sequence[object]) -> int | None:
    """The first column that has one of these names."""
    return next((place for place, name in enumerate(header) if is_called(names, name)), None)
