"""The trend of the outcomes by keyboard and pointer, with script and without, and on paper."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Amili, OpenPage
from tests.browser.test_access import inspect


@pytest.fixture
def trend(page: Page) -> Page:
    """The outcomes of today, as soon as it is known that some batch has finished lately."""
    page.goto("/outcomes/")
    expect(days(page)).to_have_count(30, timeout=60_000)
    return page


def days(page: Page) -> Locator:
    return page.locator(".trend-chart").get_by_role("link")


def told(page: Page) -> list[str]:
    """What can be read above the panels, which is of one day."""
    texts: list[str] = page.locator(".trend-chart .day text").evaluate_all(
        "all => all.filter(each => getComputedStyle(each).opacity === '1').map(each => each.textContent)"
    )
    return texts


def date_of(day: Locator) -> str:
    return re.sub(r".*day=([\d-]+).*", r"\1", day.get_attribute("href") or "")


def test_the_days_are_one_stop_and_arrows_lead_from_day_to_day(trend: Page) -> None:
    last = days(trend).nth(29)
    trend.get_by_role("link", name="As a table").focus()
    trend.keyboard.press("Tab")
    expect(last).to_be_focused()
    today = told(trend)
    assert len(today) == 4

    trend.keyboard.press("ArrowLeft")
    expect(days(trend).nth(28)).to_be_focused()
    assert told(trend) != today
    for key, place in (("Home", 0), ("ArrowLeft", 0), ("PageDown", 7), ("ArrowRight", 8), ("End", 29), ("PageUp", 22)):
        trend.keyboard.press(key)
        expect(days(trend).nth(place)).to_be_focused()

    trend.keyboard.press("Tab")
    expect(days(trend).nth(22)).not_to_be_focused()
    trend.keyboard.press("Shift+Tab")
    expect(days(trend).nth(22)).to_be_focused()


def test_enter_opens_the_day(trend: Page) -> None:
    days(trend).nth(29).focus()
    trend.keyboard.press("ArrowLeft")
    yesterday = date_of(days(trend).nth(28))
    trend.keyboard.press("Enter")
    trend.wait_for_url(f"**/outcomes/?day={yesterday}")
    expect(days(trend).nth(29)).to_have_attribute("aria-current", "date")
    assert date_of(days(trend).nth(29)) == yesterday


def test_pointing_at_a_day_tells_its_numbers_in_place_of_those_in_focus(trend: Page) -> None:
    shown = told(trend)
    days(trend).nth(29).focus()
    assert told(trend) == shown
    trend.locator(".day .hit").nth(3).hover(force=True)
    assert told(trend)[0] != shown[0]
    assert len([text for text in told(trend) if re.search(r"\d{4}", text)]) == 1
    trend.mouse.move(0, 0)
    assert told(trend) == shown


def test_a_screen_reader_hears_what_is_seen(trend: Page) -> None:
    name = days(trend).nth(29).aria_snapshot()
    for text in told(trend):
        assert text.replace("\xa0", " ") in name.replace("\xa0", " ")


def test_a_page_that_changes_by_itself_leaves_the_focus_where_it_is(trend: Page, amili: Amili) -> None:
    days(trend).nth(29).focus()
    trend.keyboard.press("ArrowLeft")
    today = days(trend).nth(29).text_content() or ""
    beside = trend.context.new_page()
    beside.goto("/")
    beside.get_by_role("searchbox").fill(str(amili.start(fate="success", objects=7, queued_seconds=0)))
    beside.keyboard.press("Enter")
    expect(days(trend).nth(29)).not_to_have_text(today, timeout=60_000)
    expect(days(trend).nth(28)).to_be_focused()
    expect(trend.locator('.day[tabindex="0"]')).to_have_count(1)
    expect(days(trend).nth(28)).to_have_attribute("tabindex", "0")


@pytest.mark.usefixtures("trend")
def test_without_script_each_day_is_a_stop_that_tells_its_numbers(open_page: OpenPage) -> None:
    plain = open_page(java_script_enabled=False)
    plain.goto("/outcomes/")
    days(plain).nth(27).focus()
    plain.keyboard.press("Tab")
    expect(days(plain).nth(28)).to_be_focused()
    expect(days(plain).nth(28).locator("text").first).to_have_css("opacity", "1")


@pytest.mark.parametrize("query", ["", "?days=90", "?days=365", "?as=table"])
def test_the_trend_is_accessible(trend: Page, query: str) -> None:
    trend.goto(f"/outcomes/{query}")
    inspect(trend)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("count", [30, 365])
def test_the_drawing_stays_in_its_card(trend: Page, width: int, count: int) -> None:
    trend.set_viewport_size({"width": width, "height": 900})
    trend.goto(f"/outcomes/?days={count}")
    outside: list[str] = trend.locator(".trend").evaluate(
        """card => {
            const {left, right} = card.getBoundingClientRect();
            return [...card.querySelectorAll(".trend-chart :is(text, rect)")].filter(each => {
                const box = each.getBoundingClientRect();
                return box.width && (box.left < left || box.right > right);
            }).map(each => each.outerHTML);
        }"""
    )
    assert outside == []
