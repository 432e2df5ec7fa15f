"""Amili's answer as it came: to look at and to download."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from batches import tasks
from tests.answers import BATCH, body, error, of_first_generation, of_today
from tests.conftest import Record
from tests.pages import seen

URL = f"/batches/{BATCH}/answer.json"


@pytest.mark.parametrize(
    "content", [body(of_today()), b"\xff\xfe\0 not JSON", b"<script>alert(1)</script>", b"", b"{" * 5_000]
)
def test_the_download_is_byte_for_byte_what_came(client: Client, recorded: Record, content: bytes) -> None:
    recorded(content)
    response = client.get(URL)
    assert response.status_code == 200
    assert response.content == content
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == f'attachment; filename="amili-batch-{BATCH}.json"'


def test_the_last_answer_is_the_one_and_the_others_are_kept(client: Client, recorded: Record) -> None:
    start = timezone.now() - timedelta(minutes=1)
    first = recorded(of_today("QUEUED"), start)
    recorded(of_today("QUEUED", type="OTHER"), start + timedelta(seconds=1))
    assert b'"OTHER"' in client.get(URL).content
    assert first.answers.count() == 2


def test_an_answer_that_comes_back_is_the_last_one_again(client: Client, recorded: Record) -> None:
    for batch_type in ("FIRST", "SECOND", "FIRST"):
        recorded(of_today("QUEUED", type=batch_type))
    assert b'"FIRST"' in client.get(URL).content


def test_the_tab_shows_it_indented_and_says_how_large_it_is(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    page = client.get(f"/batches/{BATCH}/answer/")
    assert "&quot;summary&quot;: {\n    &quot;status&quot;: &quot;SUCCESS&quot;" in page.content.decode()
    assert " bytes" in seen(page).replace("\xa0", " ")
    assert f'href="/batches/{BATCH}/versions/1.json"' in page.content.decode()


def test_of_a_long_answer_the_beginning_is_shown(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n) for n in range(3_000)]))
    page = client.get(f"/batches/{BATCH}/answer/")
    assert "Only its beginning is shown." in seen(page)
    assert len(page.content) < 200_000


def test_an_answer_nested_a_thousand_deep_does_not_make_a_page_of_megabytes(client: Client, recorded: Record) -> None:
    recorded(b"[" * 900 + b"1," * 10_000)
    page = client.get(f"/batches/{BATCH}/answer/")
    assert "Only its beginning is shown." in seen(page)
    assert len(page.content) < 500_000


def test_where_no_answer_has_come_there_is_none(client: Client) -> None:
    assert client.get(URL).status_code == 404
    tasks.follow([BATCH])
    assert client.get(URL).status_code == 404
    assert "No answer has come yet." in seen(client.get(f"/batches/{BATCH}/answer/"))
