"""Lists of batches, a page at a time."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from uuid import UUID

from sandbox.batch import Batch
from sandbox.rows import CREDITORS, PUNCTUAL
from sandbox.wire import RefusedError

type Query = Mapping[str, str]
type Place = tuple[datetime, UUID]

LARGEST_PAGE = 100
NEW_GENERATION = {creditor.id for creditor in (*CREDITORS, PUNCTUAL) if creditor.generation == "C"}


def envelope(data: bytes) -> bytes:
    """What stands around one batch."""
    return b'{"summary":{"status":"SUCCESS"},"data":%b}' % data


def is_shown_to(batch: Batch, organisation: UUID | None) -> bool:
    """The path without an organisation is the old one, and knows the organisations of the old generation only."""
    return batch.creditor.id == organisation if organisation else batch.creditor.generation == "A"


def page_of(
    batches: Iterable[Batch],
    query: Query,
    organisation: UUID | None,
    now: datetime,
    find: Callable[[UUID], Batch | None],
) -> bytes:
    """A page of these batches, newest first unless asked otherwise."""
    size = _page_size(query)
    matching = (batch for batch in _ordered(batches, query, find) if _is_wanted(batch, query, organisation, now))
    chosen = list(islice(matching, size + 1))
    next_page = chosen[size - 1].id.hex if len(chosen) > size else None
    data = b"[" + b",".join(batch.data(now) for batch in chosen[:size]) + b"]"
    return _list_envelope(data, next_page, organisation)


def _ordered(batches: Iterable[Batch], query: Query, find: Callable[[UUID], Batch | None]) -> Iterable[Batch]:
    ascending = _is_ascending(query)
    ordered = sorted(batches, key=_place, reverse=not ascending)
    if "PageToken" not in query:
        return ordered
    last = _last_seen(query["PageToken"], find)
    return (batch for batch in ordered if (_place(batch) > last if ascending else _place(batch) < last))


def _place(batch: Batch) -> Place:
    return batch.born, batch.id


def _last_seen(token: str, find: Callable[[UUID], Batch | None]) -> Place:
    """The place of the batch that the token names, the last of the page before: newer ones never move what follows."""
    try:
        last = find(UUID(token))
    except ValueError:
        last = None
    if not last:
        raise RefusedError(400, "PageToken is not one of ours")
    return _place(last)


def _is_wanted(batch: Batch, query: Query, organisation: UUID | None, now: datetime) -> bool:
    return (
        is_shown_to(batch, organisation)
        and query.get("Type", "INVOICE") == "INVOICE"
        and query.get("State") in (None, batch.state(now))
    )


def _is_ascending(query: Query) -> bool:
    direction = query.get("SortDirection", "DESC").upper()
    if direction not in ("ASC", "DESC"):
        raise RefusedError(400, "SortDirection must be ASC or DESC")
    return direction == "ASC"


def _page_size(query: Query) -> int:
    wanted = query.get("PageSize", "20")
    if not wanted.isdecimal() or int(wanted) < 1:
        raise RefusedError(400, "PageSize must be a positive number")
    return min(int(wanted), LARGEST_PAGE)


def _list_envelope(data: bytes, next_page: str | None, organisation: UUID | None) -> bytes:
    """Generation A says the summary first, generation C the data."""
    summary = json.dumps({"status": "SUCCESS", "nextPageToken": next_page}).encode()
    if organisation in NEW_GENERATION:
        return b'{"data":%b,"summary":%b}' % (data, summary)
    return b'{"summary":%b,"data":%b}' % (summary, data)
