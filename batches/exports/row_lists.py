"""What is written of the lists in Amili's answer."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Table, table_of


def row_list(name: str, title: str | Promise, rows: QuerySet[Any], hidden: Collection[str] = ()) -> Table:
    """The rows of one of a batch's lists, in their order."""
    return table_of(name, title, _ROWS[name], rows, hidden)


def _place(position: int) -> int:
    return position + 1


_EXTRA = Column("extra", _("Other fields"), width=40, is_json=True)
_INDEX = Column("object_index", _("Index"), width=10)
_OBJECT = Column("object_name", _("Object"))

_ROWS = {
    "errors": [
        _INDEX,
        _OBJECT,
        Column("message", _("Message"), width=60),
        Column("invoice_number", _("Invoice number"), width=20),
        Column("cause", _("Cause"), "cause__template", width=60),
        Column("advice", _("Advice"), "cause__advice", width=40),
        _EXTRA,
    ],
    "succeeded": [
        Column("invoice_number", _("Invoice number"), width=20),
        Column("case_id", _("Case"), width=38),
        Column("invoice_id", _("Invoice ID"), width=38),
        Column("kind", _("Kind")),
        _EXTRA,
    ],
    "failed": [
        Column("position", _("Place"), show=_place, width=10),
        Column("extra", _("As Amili sent it"), width=80, is_json=True),
    ],
    "responses": [
        _INDEX,
        _OBJECT,
        Column("ledger_reference", _("Ledger reference"), width=24),
        Column("status_statuscode", _("Status code")),
        _EXTRA,
    ],
}
