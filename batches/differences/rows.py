"""What two answers list. Rows are compared as multisets: their order says nothing."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from batches.amili.payload import BatchSnapshot
from batches.differences.words import MOST_TEXT, Change, Text, short
from batches.pretty import fields_of

MOST_ROWS = 50  # shown of each kind of change in each list

type Row = Any
"""One of the rows of `batches.amili.payload`; a failed item is its JSON text."""


@dataclass(frozen=True)
class Cell:
    """A column's text in a row; where the row has changed, also the text before."""

    label: Text
    text: str
    before: str | None = None

    @property
    def has_changed(self) -> bool:
        return self.before not in (None, self.text)


@dataclass(frozen=True)
class Group:
    """The rows of a list with which the same happened: how many, and the first of them."""

    change: Change
    count: int
    rows: Sequence[Sequence[Cell]]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)


@dataclass(frozen=True)
class ListDifference:
    """What differs in one list of rows."""

    label: Text
    columns: Sequence[Text]
    same: int
    groups: Sequence[Group]  # without the empty ones


def compare_lists(old: BatchSnapshot, new: BatchSnapshot) -> list[ListDifference]:
    """All lists, equal ones too."""
    return [each.compare(getattr(old, each.name), getattr(new, each.name)) for each in _LISTS]


@dataclass(frozen=True)
class _List:
    """A list of rows: its columns, and what tells that two rows are about the same object."""

    name: str
    label: Text
    columns: Mapping[str, Text]
    key: Callable[[Row], Hashable] | None = None

    def compare(self, old: Iterable[Row], new: Iterable[Row]) -> ListDifference:
        before, after = Counter(old), Counter(new)
        gone, added = before - after, after - before
        same, columns = before.total() - gone.total(), self._columns_for(gone + added)
        rows: dict[Change, list[tuple[Row, Row]]] = {
            Change.CHANGED: list(self._paired(gone, added)),
            Change.ADDED: [(row, None) for row in self._sorted(added)],
            Change.GONE: [(row, None) for row in self._sorted(gone)],
        }
        groups = [_group(change, found, columns) for change, found in rows.items() if found]
        return ListDifference(self.label, list(columns.values()), same, groups)

    def _columns_for(self, rows: Iterable[Row]) -> Mapping[str, Text]:
        """All; the one for fields without a name only where a row has some."""
        if any(map(_extra, rows)):
            return self.columns
        return {name: label for name, label in self.columns.items() if name != "extra"}

    def _paired(self, gone: Counter[Row], added: Counter[Row]) -> Iterator[tuple[Row, Row]]:
        """Take the rows about the same object out of both: what each is now, and what it was."""
        if self.key is None:
            return
        gone_by_key = defaultdict[Hashable, deque[Row]](deque)
        for row in gone.elements():
            gone_by_key[self.key(row)].append(row)
        gone_by_key.pop(None, None)
        for row in self._sorted(added):
            if former := gone_by_key.get(self.key(row)):
                was = former.popleft()
                gone[was] -= 1
                added[row] -= 1
                yield row, was

    def _sorted(self, rows: Counter[Row]) -> list[Row]:
        """By object index where rows have one, those without it last; else in Amili's order."""
        by_index = "objectindex" in self.columns
        return sorted(rows.elements(), key=_by_index) if by_index else list(rows.elements())


def _by_index(row: Row) -> tuple[bool, int]:
    return row.objectindex is None, row.objectindex or 0


def _group(change: Change, rows: Sequence[tuple[Row, Row]], columns: Mapping[str, Text]) -> Group:
    return Group(change, len(rows), [list(_cells(row, was, columns)) for row, was in rows[:MOST_ROWS]])


def _cells(row: Row, was: Row, columns: Mapping[str, Text]) -> Iterator[Cell]:
    for name, label in columns.items():
        yield Cell(label, _text(row, name), None if was is None else _text(was, name))


def _text(row: Row, name: str) -> str:
    if name == "extra":
        parts = fields_of(_extra(row)[: 4 * MOST_TEXT]) if _extra(row) else []
        return short("; ".join(f"{field}: {value}" if field else value for field, value in parts))
    value = getattr(row, name)
    return "" if value is None else short(str(value))


def _extra(row: Row) -> str:
    """JSON of what a row says beside its named fields; a failed item is nothing but that."""
    extra: str = row if isinstance(row, str) else row.extra
    return extra


_OBJECT: Mapping[str, Text] = {"objectindex": _("Index"), "objectname": _("Object")}
_INVOICE: Mapping[str, Text] = {
    "invoice_number": _("Invoice number"),
    "case_id": _("Case"),
    "invoice_id": _("Invoice ID"),
    "kind": _("Kind"),
}
_RESPONSE: Mapping[str, Text] = {"ledgerref": _("Ledger reference"), "status_statuscode": _("Status code")}
_MORE: Mapping[str, Text] = {"extra": _("More")}
_LISTS = (
    _List("errors", _("Errors"), {**_OBJECT, "message": _("Message"), **_MORE}, attrgetter("objectindex")),
    _List("succeeded", _("Succeeded"), {**_INVOICE, **_MORE}, lambda row: row.invoice_id or row.invoice_number),
    _List("failed", _("Failed items"), {"extra": _("As Amili sent it")}),
    _List("responses", _("Ledger responses"), {**_OBJECT, **_RESPONSE, **_MORE}, attrgetter("objectindex")),
)
