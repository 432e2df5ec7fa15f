"""The trend of the outcomes: its drawing, the same numbers in a table, and the picture to take along."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from itertools import pairwise
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from batches.chart import Chart, chart_of
from batches.models import NO_ORGANIZATION, DayPace, OutcomeDay
from batches.trend import TrendDay
from batches.words import Outcome
from tests.answers import error, of_first_generation, succeeded
from tests.conftest import Record
from tests.pages import seen

URL, PICTURE = "/outcomes/", "/outcomes/trend.svg"
MONDAY = date(2026, 3, 9)
HUGE = 10**9


def days(*numbers: TrendDay, last: date = MONDAY) -> list[TrendDay]:
    """These, on days that follow upon one another."""
    first = last - timedelta(days=len(numbers) - 1)
    return [TrendDay(first + timedelta(days=n), *list(vars(each).values())[1:]) for n, each in enumerate(numbers)]


def told(succeeded: int = 0, partial: int = 0, failed: int = 0, **others: int | None) -> TrendDay:
    return TrendDay(MONDAY, succeeded, partial, failed, **others)


def drawn(*numbers: TrendDay, last: date = MONDAY) -> Chart:
    return chart_of(days(*numbers, last=last), str)


def finish(recorded: Record, day: date, good: int = 2, bad: int = 0, seconds: int = 5) -> None:
    """A batch that finished on that day, so long after its creation."""
    at = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
    times = {"createdAt": at.isoformat(), "finishedAt": (at + timedelta(seconds=seconds)).isoformat()}
    good_rows, errors = [succeeded(n) for n in range(good)], [error(n, "No amount") for n in range(good, good + bad)]
    recorded(of_first_generation(batchId=str(uuid4()), succeeded=good_rows, errors=errors, **times))


def year_full(last: date = MONDAY, count: int = 365) -> None:
    """Sums such as a busy creditor leaves: as many figures a day as there will ever be."""
    known = [last - timedelta(days=n) for n in range(count)]
    outcomes = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED)
    OutcomeDay.objects.bulk_create(
        OutcomeDay(
            day=day, organization_id=NO_ORGANIZATION, type="", outcome=each, batches=1_234, succeeded=98_765, failed=87
        )
        for day in known
        for each in outcomes
    )
    DayPace.objects.bulk_create(
        DayPace(day=day, seconds=seconds, batches=n) for day in known for seconds, n in ((9_800, 9), (19_000, 1))
    )


def page_of(client: Client, **asked: object) -> HttpResponse:
    return client.get(URL, {"day": MONDAY.isoformat(), **asked})


def trend_in(page: HttpResponse) -> str:
    [found] = re.findall(r'<section class="ds-card trend".*?</section>', page.content.decode(), re.DOTALL)
    return found


def columns(page: HttpResponse) -> list[str]:
    """What each day of the drawing says."""
    links = re.findall(r'<a class="day".*?</a>', trend_in(page), re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", link)).split()) for link in links]


def rows(page: HttpResponse) -> list[list[str]]:
    found = re.findall(r"<tr>(.*?)</tr>", trend_in(page), re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


# On the page


def test_each_day_says_its_numbers_and_leads_to_its_page(client: Client, recorded: Record) -> None:
    finish(recorded, MONDAY, good=3, bad=1, seconds=104)
    finish(recorded, MONDAY, good=4, seconds=20)
    finish(recorded, MONDAY - timedelta(days=3), bad=2, good=0)
    page = page_of(client)
    said = columns(page)
    assert len(said) == 30
    assert said[-1] == (
        "Monday 9 March 2026 1 succeeded, 1 partly, 0 failed 12.5 % failed, 1 of 8 median 20 s, 95 % within 1 min 50 s"
    )
    assert said[-2] == "Sunday 8 March 2026 No batch finished"
    assert said[-4] == (
        "Friday 6 March 2026 0 succeeded, 0 partly, 1 failed 100 % failed, 2 of 2 median 5 s, 95 % within 5 s"
    )
    leads = re.findall(r'<a class="day" href="([^"]*)"( aria-current="date")?>', trend_in(page))
    assert leads[-2:] == [("?day=2026-03-08", ""), ("?day=2026-03-09", ' aria-current="date"')]
    assert leads[0] == ("?day=2026-02-08", "")


def test_a_holiday_has_its_name(client: Client, recorded: Record) -> None:
    finish(recorded, date(2026, 5, 17))
    assert columns(page_of(client, day="2026-05-17"))[-1].startswith("Sunday 17 May 2026, Constitution Day 1 succeeded")


def test_the_same_numbers_stand_in_a_table_the_latest_first(client: Client, recorded: Record) -> None:
    finish(recorded, MONDAY, good=3, bad=1, seconds=104)
    drawing, table = page_of(client), page_of(client, **{"as": "table"})
    head, first, second, *_ = rows(table)
    assert list(zip(head, first, strict=True)) == [
        ("Day", "Mon 09.03.2026"),
        ("Batches", "1"),
        ("Succeeded", "0"),
        ("Partly", "1"),
        ("Failed", "0"),
        ("Objects", "4"),
        ("Objects failed", "1"),
        ("Share", "25 %"),
        ("Median time", "1 min 50 s"),
        ("95 % within", "1 min 50 s"),
    ]
    assert second == ["Sun 08.03.2026", "0", "0", "0", "0", "0", "0", "–", "–", "–"]
    assert len(rows(table)) == 31
    assert "trend-chart" not in trend_in(table)
    assert rows(drawing) == []


def test_a_year_is_a_chart_or_a_table_of_as_many_days(client: Client, recorded: Record) -> None:
    finish(recorded, MONDAY)
    assert len(columns(page_of(client, days=365))) == 365
    assert len(rows(page_of(client, days=365, **{"as": "table"}))) == 366


def test_the_ways_keep_the_rest_of_the_address(client: Client, recorded: Record) -> None:
    finish(recorded, MONDAY)
    asked = {"days": 90, "as": "table", "all": "types", "stamp": "old"}
    links = re.findall(r'<a href="(\?[^"]*)#trend"', trend_in(page_of(client, **asked)))
    assert [unescape(link) for link in links] == [
        *(f"?day=2026-03-09&days={count}&as=table&all=types" for count in (30, 90, 365)),
        "?day=2026-03-09&days=90&all=types",
    ]
    assert "?day=2026-03-09&amp;as=table#trend" in trend_in(page_of(client))
    assert 'href="?day=2026-03-08&amp;days=90&amp;as=table"' in trend_in(page_of(client, **asked))


@pytest.mark.parametrize(("count", "is_said"), [(90, False), (365, True)])
def test_where_colours_alone_tell_the_outcomes_apart_their_order_is_said(
    client: Client, recorded: Record, count: int, is_said: bool
) -> None:
    finish(recorded, MONDAY)
    said = "From below: Succeeded Partly succeeded Failed"
    assert (said in seen(page_of(client, days=count))) is is_said
    assert (said in " ".join(words(picture(client, days=count)))) is is_said


def test_days_lead_on_with_a_trend_as_long(client: Client, recorded: Record) -> None:
    finish(recorded, MONDAY)
    assert trend_in(page_of(client, days=90)).count("&amp;days=90") > 90


@pytest.mark.parametrize("asked", [{}, {"as": "table"}])
def test_days_without_batches_are_one_sentence(client: Client, asked: dict[str, str]) -> None:
    page = page_of(client, days=90, **asked)
    assert "No batch finished in these 90 days." in seen(page)
    assert columns(page) == rows(page) == []


def test_a_year_of_large_numbers_is_a_small_part_of_the_page(client: Client) -> None:
    year_full()
    drawing = trend_in(page_of(client, days=365))
    assert "1 234 succeeded, 1 234 partly, 1 234 failed" in unescape(drawing).replace("\xa0", " ")
    assert len(drawing.encode()) / 365 < 700


# The drawing


def test_outcomes_stand_on_one_another_in_the_order_of_their_gravity() -> None:
    [day] = drawn(told(30, 6, 4)).days
    assert [bar.outcome for bar in day.bars] == [Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED]
    for lower, upper in pairwise(day.bars):
        assert upper.y + upper.height < lower.y  # with a gap between them


def test_bars_are_as_high_as_there_are_batches() -> None:
    chart = drawn(told(10), told(20), told(5, 5))
    tens, twenties, halves = (day.bars for day in chart.days)
    assert chart.batches.most == 20
    assert twenties[0].y == pytest.approx(chart.batches.top, abs=0.5)
    assert tens[0].height == pytest.approx(twenties[0].height / 2, abs=0.5)
    assert halves[-1].y == pytest.approx(tens[0].y, abs=0.5)


def test_a_day_without_batches_has_no_bar_and_one_among_a_million_is_seen() -> None:
    empty, one, many = drawn(told(), told(0, 0, 1), told(10**6)).days
    assert not empty.bars
    assert one.bars[0].height >= 0.5
    assert many.bars[0].height > 40


def test_lines_are_broken_where_a_day_has_no_number() -> None:
    known = told(1, good=9, bad=1, median=10, p95=20)
    chart = drawn(known, known, told(), known)
    for line in (chart.share_line, chart.median_line, chart.p95_line):
        assert re.sub(r"[\d. ]+", "", line.path) == "MLM"
        assert line.dots.count("h0") == 3


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (41, ["0", "20", "40", "60"]),
        (20_000, ["0", "5 000", "10 000", "15 000", "20 000"]),
        (1_400_000, ["0", "500k", "1m", "1.5m"]),
        (HUGE, ["0", "500m", "1bn"]),
    ],
)
def test_the_scale_of_batches_is_round(most: int, ticks: list[str]) -> None:
    chart = drawn(told(most), told())
    assert [tick.text.replace("\xa0", " ") for tick in chart.batches.ticks] == ticks


@pytest.mark.parametrize(
    ("bad", "ticks"),
    [
        (0, ["0 %", "0.5 %", "1 %"]),
        (1, ["0 %", "0.0005 %", "0.001 %"]),
        (3_400, ["0 %", "2 %", "4 %"]),
        (100_000, ["0 %", "50 %", "100 %"]),
    ],
)
def test_the_scale_of_shares_is_round(bad: int, ticks: list[str]) -> None:
    chart = drawn(told(1, good=100_000 - bad, bad=bad))
    assert [tick.text.replace("\xa0", " ") for tick in chart.share.ticks] == ticks


@pytest.mark.parametrize(
    ("p95", "ticks"),
    [
        (0, ["0", "1 s"]),
        (50, ["0", "30 s", "1 min"]),
        (900, ["0", "5 min", "10 min", "15 min"]),
        (2_000, ["0", "15 min", "30 min", "45 min"]),
        (20_000, ["0", "2 h", "4 h", "6 h"]),
        (200_000, ["0", "1 d", "2 d", "3 d"]),
        (HUGE, ["0", "5 000 d", "10 000 d", "15 000 d"]),
    ],
)
def test_the_scale_of_times_has_the_steps_of_a_clock(p95: int, ticks: list[str]) -> None:
    chart = drawn(told(1, median=0, p95=p95))
    assert [tick.text.replace("\xa0", " ") for tick in chart.time.ticks] == ticks


@pytest.mark.parametrize(
    ("count", "labels"),
    [
        (1, ["9. Mar"]),
        (10, ["28. Feb", "3. Mar", "6.", "9."]),
        (40, ["2. Feb", "9.", "16.", "23.", "2. Mar", "9."]),
        (365, ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan 2026", "Feb", "Mar"]),
    ],
)
def test_dates_stand_below_as_many_as_there_is_room_for(count: int, labels: list[str]) -> None:
    chart = drawn(*[told(1)] * count)
    assert [label.text for label in chart.labels] == labels
    assert len([label for label in chart.labels if label.is_rare]) <= 5
    assert chart.labels[-1].is_rare


@pytest.mark.parametrize(("median", "p95"), [(10, 10), (10, 12), (10, 900), (0, 0)])
def test_the_names_of_two_lines_can_both_be_read(median: int, p95: int) -> None:
    chart = drawn(told(1, median=median, p95=p95))
    assert chart.median_label is not None
    assert chart.p95_label is not None
    assert chart.median_label - chart.p95_label >= 3.2


def test_days_off_are_shaded() -> None:
    assert drawn(*[told(1)] * 7).rest.count("M") == 2
    assert drawn(*[told(1)] * 7, last=date(2026, 4, 6)).rest.count("M") == 5  # Easter


NUMBER = st.integers(0, HUGE)
TIMES = st.just((None, None)) | st.tuples(NUMBER, NUMBER).map(sorted)
ANY_DAY = st.builds(
    lambda batches, good, bad, times: told(*batches, good=good, bad=bad, median=times[0], p95=times[1]),
    st.tuples(NUMBER, NUMBER, NUMBER),
    NUMBER,
    NUMBER,
    TIMES,
)


@given(st.lists(ANY_DAY, min_size=1, max_size=40))
def test_whatever_the_numbers_everything_stands_where_it_belongs(numbers: list[TrendDay]) -> None:
    chart = drawn(*numbers)
    for day in chart.days:
        assert 0 <= day.x <= day.bar_x <= day.bar_x + chart.bar <= 100.1
        assert all(chart.batches.top - 2 < bar.y < bar.y + bar.height <= chart.batches.bottom + 0.1 for bar in day.bars)
    for panel in chart.panels:
        assert 1 <= len(panel.ticks) - 1 <= 4
        assert panel.ticks[-1].y == panel.top
    for line in (chart.share_line, chart.median_line, chart.p95_line):
        places = re.findall(r"[ML](\S+) ([^ML]+)", line.path)
        assert all(0 < float(x) < 1_000 and 0 < float(y) < 500 for x, y in places)


# The picture


def picture(client: Client, **asked: object) -> HttpResponse:
    return client.get(PICTURE, {"day": MONDAY.isoformat(), **asked})


def words(page: HttpResponse) -> list[str]:
    root = ElementTree.fromstring(page.content)
    return [" ".join("".join(each.itertext()).split()) for each in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("count", [30, 90, 365])
def test_the_picture_is_whole_in_itself(client: Client, count: int) -> None:
    year_full()
    page = picture(client, days=count)
    first = MONDAY - timedelta(days=count - 1)
    assert page.headers["Content-Type"] == "image/svg+xml"
    assert page.headers["Content-Disposition"] == (
        f'attachment; filename="amili-outcomes-{first.isoformat()}-to-2026-03-09.svg"'
    )
    said = words(page)
    assert said[0] == f"Batches and their outcomes, {first.day} {first:%B %Y} – 9 March 2026"
    assert {"Succeeded", "Partly succeeded", "Failed", "median", "95 %", "Time from creation to finish"} <= set(said)
    assert not re.search(
        r"<(a|script|style|image|use|foreignObject)\b|href|class=\"day|style=|on\w+=", page.content.decode()
    )
    assert set(re.findall(r"https?://[^\"]*", page.content.decode())) == {"http://www.w3.org/2000/svg"}


def test_every_shape_of_the_picture_has_its_own_colour(client: Client) -> None:
    year_full()
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', picture(client).content.decode()))
    assert all(re.fullmatch(r"#[0-9a-f]{6}|url\(#trend-(partial|failed)\)|none", colour) for colour in colours)
    assert "url(#trend-partial)" in colours
    assert "url(#trend-" not in "".join(
        re.findall(r'(?:fill|stroke)="([^"]*)"', picture(client, days=365).content.decode())
    )


def test_a_picture_of_nothing_says_so(client: Client) -> None:
    assert "No batch finished in these 30 days." in words(picture(client))


@pytest.mark.parametrize("asked", [{"day": "31.02.2026"}, {"day": "2999-01-01"}, {"days": "31"}, {"day": "<script>\0"}])
def test_no_picture_is_made_of_an_address_that_nobody_can_read(client: Client, asked: dict[str, str]) -> None:
    page = picture(client, **asked)
    assert page.status_code == 422
    assert "Content-Disposition" not in page.headers


def test_the_picture_asks_once_who_looks_and_once_for_all_days(
    client: Client, django_assert_num_queries: Callable
) -> None:
    picture(client)
    with django_assert_num_queries(2):
        picture(client)
