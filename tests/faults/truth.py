"""Whether all is as if nothing had happened: our tables against what Amili says, and how often it was asked."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from requests import Session

from batches.amili.payload import BatchSnapshot, identity, read_batch
from batches.verdict import doubts_about, outcome_of
from batches.words import FINISHED
from tests.faults.amili import Asked
from tests.faults.stack import RATE, Stack
from tests.stack import until

ASKERS = 4 + 1  # threads of one worker: each of its pool's processes asks, and a walk fetches the next page meanwhile
GIST = "outcome, status, succeeded_objects, failed_objects"
LISTS = {
    "batches_errorrow": "rank, position, object_name, object_index, message, extra",
    "batches_ledgerresponse": "position, object_name, object_index, ledger_reference, status_statuscode, extra",
    "batches_succeededitem": "position, kind, invoice_number, invoice_id, case_id, extra",
    "batches_faileditem": "position, extra",
}


def assert_all_is_well(stack: Stack, batch_ids: Iterable[UUID], within: float = 120, workers: int = 1) -> None:
    """These batches are finished in our tables, each one there is as Amili says, and nobody asked too often."""
    wanted = list(batch_ids)
    until(lambda: is_settled(stack, wanted), within)
    assert_rate_was_kept(stack.amili.record, ASKERS * workers)
    stack.amili.record.clear()
    late = "SELECT 1 FROM batches_batch WHERE claimed_until < now() - interval '5 s'"
    until(lambda: not stack.query(late), 60)
    finished = stack.query("SELECT id, organization_id FROM batches_batch WHERE outcome = ANY(%s)", list(FINISHED))
    assert {batch_id for batch_id, _ in finished} >= set(wanted)
    with stack.amili.truth() as amili, psycopg.connect(stack.database, row_factory=dict_row) as ours:
        for batch_id, organization_id in finished:
            assert_like_amili(ours, batch_id, _answer(amili, stack.amili.url, batch_id, organization_id))
    assert_causes_add_up(stack)


def assert_causes_add_up(stack: Stack) -> None:
    """Whoever recorded what at the same time: the sums of each cause are those of the rows there are."""
    of_rows = "SELECT batch_id, cause_id, count(*) AS rows FROM batches_errorrow GROUP BY batch_id, cause_id"
    of_batches = "SELECT batch_id, cause_id, rows FROM batches_batchcause"
    assert set(stack.query(of_rows)) == set(stack.query(of_batches))
    altogether = "SELECT id, batch_count, row_count FROM batches_cause WHERE batch_count > 0"
    summed = "SELECT cause_id, {batches}, sum(rows) FROM batches_{table} GROUP BY cause_id HAVING {batches} > 0"
    for table, batches in (
        ("batchcause", "count(*)"),
        ("causeday", "sum(batches)"),
        ("causeorganization", "sum(batches)"),
    ):
        assert set(stack.query(altogether)) == set(stack.query(summed.format(table=table, batches=batches)))


def is_recorded(stack: Stack, batch_ids: Sequence[UUID], and_more: str = "") -> bool:
    """Finished as far as we know, without trouble, and nobody is asking."""
    recorded = f"outcome = ANY(%s) AND trouble = '' AND claimed_until IS NULL {and_more}"
    query = f"SELECT count(*) FROM batches_batch WHERE id = ANY(%s) AND {recorded}"
    return stack.query(query, list(batch_ids), list(FINISHED)) == [(len(batch_ids),)]


def is_settled(stack: Stack, batch_ids: Sequence[UUID]) -> bool:
    """The same, and nobody is about to ask."""
    return is_recorded(stack, batch_ids, "AND next_check_at > now()")


def _answer(amili: Session, url: str, batch_id: UUID, organization_id: UUID) -> bytes:
    # Written large, the ID tells our own questions from the dashboard's in the record.
    path = f"/collection/v1/orgs/{organization_id}/batches/{str(batch_id).upper()}"
    answer = amili.get(f"{url}{path}", timeout=60)
    answer.raise_for_status()
    return answer.content


def assert_rate_was_kept(record: Sequence[Asked], askers: int) -> None:
    """In no second, and in no ten, more than agreed; but each asker may come late once, and so meet the next one's turn."""
    times = [asked.at for asked in record if asked.path == asked.path.lower()]
    for seconds in (1, 10):
        allowed = RATE * seconds + 1 + askers
        crowd = [times[n + allowed] - times[n] for n in range(len(times) - allowed)]
        assert not crowd or min(crowd) >= seconds, f"{allowed} requests within {min(crowd)} s"


# ------------------------------------------------------------------------------------------ one batch


def assert_like_amili(ours: psycopg.Connection[dict[str, Any]], batch_id: UUID, answer: bytes) -> None:
    """Facts, rows, answers and timeline of a finished batch."""
    snapshot = read_batch(answer, batch_id)
    batch = ours.execute("SELECT * FROM batches_batch WHERE id = %s", [batch_id]).fetchone()
    assert batch
    expected = _facts(snapshot) | {"digest": identity(answer)}
    assert {name: batch[name] for name in expected} == expected
    for table, rows in _rows(snapshot).items():
        columns = LISTS[table]
        kept = ours.execute(f"SELECT {columns} FROM {table} WHERE batch_id = %s ORDER BY 1", [batch_id])
        assert [tuple(row.values()) for row in kept] == rows, f"{table} of {batch_id}"
    _assert_told_once(ours, batch)


def _facts(snapshot: BatchSnapshot) -> dict[str, Any]:
    same = (
        *("type", "status", "statuscode", "created_at", "finished_at", "organization_id", "created_by"),
        *("succeeded_objects", "failed_objects", "odd_fields"),
    )
    return {name: getattr(snapshot, name) for name in same} | {
        "outcome": outcome_of(snapshot),
        "doubts": doubts_about(snapshot),
        "error_count": len(snapshot.faults),
        "response_count": len(snapshot.responses),
        "succeeded_count": len(snapshot.succeeded),
        "failed_item_count": len(snapshot.failed),
    }


def _rows(snapshot: BatchSnapshot) -> dict[str, list[tuple[Any, ...]]]:
    """What must stand in each table, in the order of its first column."""
    by_index = sorted(
        enumerate(snapshot.faults), key=lambda row: 2**63 if row[1].objectindex is None else row[1].objectindex
    )
    return {
        "batches_errorrow": [
            (rank, position, row.objectname or "", row.objectindex, row.message or "", row.extra)
            for rank, (position, row) in enumerate(by_index)
        ],
        "batches_ledgerresponse": [
            (n, row.objectname or "", row.objectindex, row.ledgerref or "", row.status_statuscode or "", row.extra)
            for n, row in enumerate(snapshot.responses)
        ],
        "batches_succeededitem": [
            (n, row.kind or "", row.invoice_number or "", row.invoice_id or "", row.case_id or "", row.extra)
            for n, row in enumerate(snapshot.succeeded)
        ],
        "batches_faileditem": list(enumerate(snapshot.failed)),
    }


def _assert_told_once(ours: psycopg.Connection[dict[str, Any]], batch: dict[str, Any]) -> None:
    """A sandbox's batch never becomes what it has been: each gist of it stands in the timeline at most once."""
    query = f"SELECT kind, answer_id, {GIST} FROM batches_timelineentry WHERE batch_id = %s ORDER BY id"
    entries = ours.execute(query, [batch["id"]]).fetchall()
    assert [entry["kind"] for entry in entries].count("first_seen") == 1
    assert entries[0]["kind"] == "first_seen"
    gists = [_gist(entry) for entry in entries if entry["kind"] == "changed"]
    assert gists[-1] == _gist(batch), entries
    assert len(set(gists)) == len(gists), entries
    query = "SELECT id, digest FROM batches_answer WHERE batch_id = %s AND problem = '' ORDER BY received_at DESC"
    answers = ours.execute(query, [batch["id"]]).fetchall()
    assert answers[0]["digest"] == batch["digest"]
    assert len(answers) == len(gists), entries


def _gist(told: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(told[name] for name in GIST.split(", "))
