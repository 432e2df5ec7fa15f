"""What can be downloaded of a submitted file: what failed, with the reasons, and what the answer never mentions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched

from batches.models import ErrorRow
from batches.submission.keep import PIECE
from batches.submission.meeting import Meeting

_SENT = 65_536  # bytes at a time
_MOST_REASON = 32_000  # characters, which is what a cell of a spreadsheet can hold


def correction_file(meeting: Meeting) -> Iterator[bytes]:
    """The failed objects, each with its messages, in the shape that the file had."""
    return _at_once(meeting.kept.frame.written(_failed(meeting), with_reasons=True))


def rest_file(meeting: Meeting) -> Iterator[bytes]:
    """The objects that neither failed nor succeeded, as far as the answer says; as they came."""
    records = meeting.kept.records(meeting.join.untold or [])
    return _at_once(meeting.kept.frame.written(((record.body, "") for _, record in records), with_reasons=False))


def _failed(meeting: Meeting) -> Iterator[tuple[bytes, str]]:
    join, kept = meeting.join, meeting.kept
    for some in batched(zip(join.failed, join.ranks, strict=True), PIECE, strict=False):
        messages = messages_of(meeting, [rank for _, ranks in some for rank in ranks])
        records = kept.records(place for place, _ in some)
        for (_, record), (_, ranks) in zip(records, some, strict=True):
            yield record.body, "; ".join(messages[rank] for rank in ranks)[:_MOST_REASON]


def messages_of(meeting: Meeting, ranks: Sequence[int]) -> Mapping[int, str]:
    """Of these error rows; one that is gone since, because a new answer has come, has none."""
    rows = ErrorRow.objects.filter(batch_id=meeting.kept.batch, rank__in=ranks)
    found = dict(rows.values_list("rank", "message"))
    return {rank: found.get(rank, "") for rank in ranks}


def _at_once(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Together what is too little to be sent alone."""
    waiting, size = list[bytes](), 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _SENT:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
