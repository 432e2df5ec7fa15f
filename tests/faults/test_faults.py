"""Whatever dies, stops or misbehaves around the dashboard: afterwards it says what Amili says, once and whole."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

import pytest

from tests.faults.crashes import Crashes
from tests.faults.stack import Stack
from tests.faults.truth import assert_all_is_well, is_recorded
from tests.stack import until

CIRCUIT_IS_OPEN = "SELECT 1 FROM batches_connection WHERE opened_at IS NOT NULL"
PATIENCE = 300  # seconds for the crashes, which began before the first of these tests


def test_duplicate_and_shuffled_webhooks_race_with_the_polls_of_two_beats_and_two_workers(stack: Stack) -> None:
    with stack.two_of_each():
        batches = [stack.amili.start(objects=300, queued_seconds=n % 5, generation="AC"[n % 2]) for n in range(16)]
        calls = [(batch_id, f"{batch_id} {key}") for batch_id in batches for key in (1, 1, 2, 3, 3)]
        Random(3).shuffle(calls)
        with ThreadPoolExecutor(8) as senders:
            list(senders.map(lambda call: stack.ring(*call), calls))
        assert_all_is_well(stack, batches, workers=2)
    acted_upon = "SELECT key FROM batches_delivery WHERE verdict = 'rung' AND key = ANY(%s)"
    keys = sorted(key for (key,) in stack.query(acted_upon, [key for _, key in calls]))
    assert keys == sorted({key for _, key in calls})


@pytest.mark.parametrize(("mood", "seconds", "most"), [("dark", 15, 40), ("429", 4, 20), ("503", 4, 20)])
def test_while_amili_fails_for_all_hardly_anything_is_asked(stack: Stack, mood: str, seconds: int, most: int) -> None:
    batches = stack.begin(30, queued_seconds=10)
    already = len(stack.amili.record)
    stack.amili.mood(mood, seconds)
    over_at = time.monotonic() + seconds
    until(lambda: stack.query(CIRCUIT_IS_OPEN), 30)
    until(lambda: not stack.query(CIRCUIT_IS_OPEN), 60)
    assert 3 <= len([asked for asked in stack.amili.record[already:] if asked.at < over_at]) <= most
    assert_all_is_well(stack, batches)


def test_a_worker_that_is_told_to_end_brings_its_record_to_an_end_first(stack: Stack) -> None:
    worker, batch_id = stack.processes.running["worker"], stack.amili.start(objects=1000, queued_seconds=0)
    with stack.standing_in_the_way(batch_id, 500):
        stack.ring(batch_id)
        until(lambda: stack.is_amid_record(batch_id), 30)
        worker.terminate()
        until(lambda: "Warm shutdown" in stack.logs["worker"].read_text(), 30)
    status, is_whole = worker.wait(60), is_recorded(stack, [batch_id])
    stack.start_worker()
    assert (status, is_whole) == (0, True)
    assert_all_is_well(stack, [batch_id, *stack.begin(5)])


def test_what_is_wished_while_valkey_is_stopped_is_done_when_it_is_back(stack: Stack) -> None:
    batches = stack.begin(10)
    command = stack.stop_valkey()
    back_at = time.monotonic() + 20
    batches += stack.begin(5)
    until(lambda: time.monotonic() > back_at, 60)
    stack.start_valkey(command)
    assert_all_is_well(stack, batches)


def test_emptying_valkey_stops_nobody(stack: Stack) -> None:
    batches = stack.begin(10)
    stack.empty_valkey()
    batches += stack.begin(5)
    assert_all_is_well(stack, batches)


def test_a_database_that_restarts_or_crashes_under_load_costs_no_fact(crashes: "Future[Crashes]") -> None:
    happened = crashes.result(PATIENCE)
    assert happened.cut_off == {"restart": True, "crash": True}
    assert_all_is_well(happened.stack, [*happened.batches, *happened.giants.values()])


@pytest.mark.parametrize("who", ["child", "worker"])
def test_a_record_is_whole_within_a_minute_after_its_writer_was_killed(crashes: "Future[Crashes]", who: str) -> None:
    assert crashes.result(PATIENCE).whole_after[who] < 60
