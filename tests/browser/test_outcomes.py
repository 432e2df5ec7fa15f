"""The outcomes of a day before a real browser: alive, by keyboard, on paper, without script."""

import re
from uuid import UUID

from playwright.sync_api import Page, expect

from tests.browser.conftest import Amili, OpenPage


def fail_a_batch(page: Page, amili: Amili) -> UUID:
    """One that finishes today, found by its ID."""
    batch_id = amili.start(fate="failed", objects=7, queued_seconds=0)
    page.goto("/")
    page.get_by_role("searchbox").first.fill(str(batch_id))
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_contain_text("Failed", timeout=60_000)
    return batch_id


def test_what_finishes_appears_by_itself_and_leaves_the_focus_where_it_is(
    page: Page, open_page: OpenPage, amili: Amili
) -> None:
    page.goto("/outcomes/")
    finished = page.locator(".outcome-cards section").first.locator(".big")
    before, button = finished.inner_text(), page.get_by_role("button", name="Print")
    button.focus()
    fail_a_batch(open_page(), amili)
    expect(finished).not_to_have_text(before, timeout=60_000)
    expect(button).to_be_focused()


def test_a_number_leads_to_the_batches_that_make_it(page: Page, amili: Amili) -> None:
    batch_id = fail_a_batch(page, amili)
    page.goto("/outcomes/")
    page.locator(".outcome-cards section").filter(has_text="Still unresolved").locator(".big a").click()
    expect(page.locator(f"#batch-{batch_id}")).to_be_visible()


def test_a_day_is_picked_by_keyboard_and_without_script(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/outcomes/?days=90")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    page.get_by_label("Day", exact=True).fill("2026-03-09")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.get_by_role("heading", name="Monday 9 March 2026")).to_be_visible()
    expect(page).to_have_url(re.compile("days=90"))
    page.locator("a[rel=next]").click()
    expect(page.get_by_role("heading", name="Tuesday 10 March 2026")).to_be_visible()


def test_enlarged_four_times_no_page_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    for address in (
        "/outcomes/",
        "/outcomes/?as=table",
        "/outcomes/wall/",
        "/outcomes/rhythm/",
        "/batches/",
        "/causes/",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, address
    page.goto("/outcomes/")
    page.locator("#export-outcomes summary").click()
    menu = page.locator("#export-outcomes .menu").bounding_box()
    assert menu
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= 320


def test_the_day_prints_on_one_sheet_that_says_when_it_was_printed(page: Page) -> None:
    page.goto("/outcomes/")
    page.evaluate("window.print = () => dispatchEvent(new Event('beforeprint'))")
    page.get_by_role("button", name="Print").click()
    expect(page.locator("[data-printed]")).to_have_text(re.compile(r"^\d\d\.\d\d\.\d{4}, \d\d\.\d\d$"))
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) == 1
    page.emulate_media(media="print")
    expect(page.get_by_text("Printed at")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
