"""What can be downloaded of a submitted file: what failed, with the reasons, and what the answer never mentions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched

from batches.models import Batch, ErrorRow
from batches.submission.keep import PIECE
from batches.submission.meeting import Meeting
from batches.submission.submitted import Form

_SENT = 65_536  # bytes at a time
_MOST_REASON = 32_000  # characters, which is what a cell of a spreadsheet can hold


class ChangedError(Exception):
    """A new answer has come: the error rows are no longer those that were compared."""


def file_to_mend(meeting: Meeting, positions: Sequence[int], form: Form) -> Iterator[bytes]:
    """The failed objects at these positions, each with all its messages."""
    return _at_once(form.written(_with_reasons(meeting, positions), with_reasons=True))


def file_to_send(meeting: Meeting, places: Sequence[int], form: Form) -> Iterator[bytes]:
    """The objects at these places as they came, and nothing else."""
    records = meeting.kept.records(places)
    return _at_once(form.written(((record.body, "") for _, record in records), with_reasons=False))


def _with_reasons(meeting: Meeting, positions: Sequence[int]) -> Iterator[tuple[bytes, str]]:
    join = meeting.join
    for some in batched(positions, PIECE, strict=False):
        messages = messages_of(meeting, [rank for n in some for rank in join.ranks[n]])
        records = meeting.kept.records(join.failed[n] for n in some)
        for n, (_, record) in zip(some, records, strict=True):
            yield record.body, "; ".join(messages[rank] for rank in join.ranks[n])[:_MOST_REASON]


def messages_of(meeting: Meeting, ranks: Sequence[int]) -> Mapping[int, str]:
    """Of these error rows; raises ChangedError if by now they may be others, for ranks are given anew by each answer."""
    rows = ErrorRow.objects.filter(batch_id=meeting.kept.batch, rank__in=ranks)
    found = dict(rows.values_list("rank", "message"))
    check_answer(meeting)
    return {rank: found.get(rank, "") for rank in ranks}


def check_answer(meeting: Meeting) -> None:
    """Raise ChangedError if it is another by now than the one that was compared, or its rows have other causes."""
    compared = {"facts_digest": meeting.facts, "grouping": meeting.grouping}
    if not Batch.objects.filter(pk=meeting.kept.batch, **compared).exists():
        raise ChangedError


def _at_once(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Together what is too little to be sent alone. What breaks off after something was sent ends with its last part."""
    waiting, size, is_sent = list[bytes](), 0, False
    try:
        for part in parts:
            waiting.append(part)
            size += len(part)
            if size >= _SENT:
                yield b"".join(waiting)
                waiting, size, is_sent = [], 0, True
    except Exception:
        if is_sent:
            yield b"".join(waiting)
        raise
    yield b"".join(waiting)
