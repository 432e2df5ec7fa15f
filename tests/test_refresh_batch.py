"""`manage.py refresh_batch`: the same door, from a shell."""

from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from batches.models import Batch, Connection
from batches.words import Outcome
from sandbox import world
from tests.answers import BATCH, of_today, succeeded
from tests.conftest import Amili, Record


def refresh(text: object) -> str:
    out = StringIO()
    call_command("refresh_batch", str(text), stdout=out)
    return out.getvalue()


def demo(words: str) -> UUID:
    return next(batch_id for batch_id, description in world.DEMO.items() if words in description)


def test_one_line_says_what_became_of_the_batch_and_it_is_followed(db: None, amili: Amili) -> None:
    batch_id = amili.start(fate="partial", objects=80, queued_seconds=0)
    assert refresh(batch_id) == f"{batch_id}: Partly succeeded, 70 succeeded, 10 failed\n"
    batch = Batch.objects.get()
    assert batch.outcome == Outcome.PARTIAL
    assert set(batch.timeline.values_list("source", flat=True)) == {"command"}


def test_any_text_that_holds_the_id_will_do(db: None, amili: Amili) -> None:
    batch_id = amili.start(fate="success", objects=20, queued_seconds=0)
    assert "Succeeded" in refresh(f"https://dashboard.example/batches/{batch_id}/")


@pytest.mark.parametrize("text", ["", "soon", f"{UUID(int=1)} {UUID(int=2)}"])
def test_no_id_or_more_than_one_is_explained(db: None, text: str) -> None:
    with pytest.raises(CommandError, match=r"^Give one batch ID, such as "):
        refresh(text)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Always 404", "Not found at Amili (Amili answered 404)"),
        ("Always 403", "No permission (Amili answered 403)"),
        ("Always 503", "Amili unreachable (Amili answered 503)"),
        ("HTML page", "Answer not understood (The answer is a web page, not JSON)"),
    ],
)
def test_a_failure_is_one_line_with_its_reason(db: None, amili: Amili, words: str, reason: str) -> None:
    with pytest.raises(CommandError) as refusal:
        refresh(demo(words))
    assert str(refusal.value) == f"{demo(words)}: {reason}"
    assert refusal.value.returncode == 1


def test_amili_away_is_said_and_the_facts_stay(recorded: Record, nobody_answers: None) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    with pytest.raises(CommandError, match="could not be reached"):
        refresh(BATCH)
    assert Batch.objects.get().outcome == Outcome.SUCCEEDED


def test_during_a_long_absence_of_amili_the_question_is_noted(recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    now = timezone.now()
    Connection.objects.create(failing_since=now, opened_at=now, open_until=now + timedelta(minutes=1))
    with pytest.raises(CommandError, match="the question is noted"):
        refresh(BATCH)
    assert Batch.objects.get().is_wanted


def test_a_batch_that_a_worker_asks_about_is_left_to_it(db: None) -> None:
    now = timezone.now()
    Batch.objects.follow([BATCH], now)
    assert Batch.objects.claim(BATCH, now)
    with pytest.raises(CommandError, match="a worker is asking at this moment"):
        refresh(BATCH)
