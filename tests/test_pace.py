"""How often Amili is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as site
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.amili.client import SEARCH_TIMEOUT
from batches.amili.transport import WHOLE_TIMEOUT
from batches.pace import LEASE, WATCH_LASTS, WATCH_RENEWAL, WATCHED, after, is_watched, pace
from batches.words import Trouble

NOW = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
quick = settings(deadline=None, max_examples=100)
ages = st.timedeltas(timedelta(), timedelta(days=100))


def seconds(**age: float) -> float | None:
    step = pace(timedelta(**age), watched=False)
    return step.total_seconds() if step else None


@pytest.mark.parametrize(
    ("age", "step"),
    [
        ({"seconds": 0}, 5),
        ({"seconds": 119}, 5),
        ({"minutes": 2}, 15),
        ({"minutes": 10}, 60),
        ({"hours": 1}, 5 * 60),
        ({"days": 1}, 3600),
        ({"days": 7}, 12 * 3600),
        ({"days": 60}, None),
    ],
    ids=str,
)
def test_the_older_a_batch_the_slower_it_is_asked_about_until_it_is_no_more(
    age: dict[str, float], step: float | None
) -> None:
    assert seconds(**age) == step


def test_a_clock_that_goes_backwards_does_no_harm() -> None:
    assert seconds(hours=-1) == 5


@quick
@given(ages, ages)
def test_no_batch_is_asked_about_more_often_than_a_younger_one(one: timedelta, other: timedelta) -> None:
    younger, older = (pace(age, watched=False) for age in sorted([one, other]))
    assert older is None or (younger is not None and younger <= older)


@quick
@given(ages)
def test_a_batch_that_somebody_watches_is_asked_about_every_two_seconds_unless_it_is_given_up(age: timedelta) -> None:
    given_up = pace(age, watched=False) is None
    assert pace(age, watched=True) == (None if given_up else WATCHED)


@pytest.mark.parametrize(
    ("watched_at", "watched"),
    [
        (None, False),
        (NOW, True),
        (NOW - WATCH_LASTS + timedelta(seconds=1), True),
        (NOW - WATCH_LASTS, False),
    ],
)
def test_an_open_page_counts_as_watched_for_a_while(watched_at: datetime | None, watched: bool) -> None:
    assert is_watched(watched_at, NOW) is watched


def test_a_watched_page_may_miss_one_renewal() -> None:
    assert WATCH_LASTS > 2 * WATCH_RENEWAL


def test_a_failure_slows_the_watched_pace_and_no_slower_one() -> None:
    assert after(Trouble.UNREACHABLE, WATCHED, timedelta()) == timedelta(seconds=10)
    assert after(Trouble.UNREACHABLE, timedelta(minutes=5), timedelta()) == timedelta(minutes=5)


def test_amili_is_not_asked_again_before_the_time_that_it_names() -> None:
    assert after(Trouble.BUSY, WATCHED, timedelta(seconds=90)) == timedelta(seconds=90)


def test_what_is_gone_is_not_asked_about_again() -> None:
    assert after(Trouble.GONE, WATCHED, timedelta()) is None


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - {Trouble.NONE, Trouble.GONE}))
def test_after_every_trouble_a_batch_that_is_followed_is_asked_about_again(trouble: Trouble) -> None:
    assert after(trouble, WATCHED, timedelta()) >= timedelta(seconds=10)


def test_a_claim_outlasts_the_task_and_the_task_a_search_whose_last_answer_takes_all_the_time_it_may() -> None:
    assert SEARCH_TIMEOUT + WHOLE_TIMEOUT < site.CELERY_TASK_TIME_LIMIT < LEASE.total_seconds()
