"""Watch in a browser: a press, the question that it asks, and the word of a tab that nobody looks at."""

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Amili, OpenPage
from tests.browser.test_access import inspect
from tests.browser.test_live import HIDE

# The browser's own notifications, counted in place of shown; and the question whether they may be.
COUNTED = """
window.told = []; window.asked = 0;
window.Notification = class {
    static permission = "%s";
    static async requestPermission() { window.asked += 1; return this.permission; }
    constructor(title, options) { window.told.push([title, options.body]); }
    close() {}
};
"""
# A swap is told to scripts a moment after it can be seen.
SETTLED = """
document.addEventListener("htmx:afterSettle", () => {
    document.documentElement.toggleAttribute("data-settled", Boolean(document.querySelector("#watch[data-done]")));
});
"""
UNSUPPORTED = "delete window.Notification;"
UNUSABLE = COUNTED.replace("window.told.push([title, options.body]);", "throw new TypeError('Illegal constructor');")

WATCH = re.compile("^Watch$")


@pytest.fixture
def running(amili: Amili) -> UUID:
    """A batch that is done some seconds after somebody has begun to look at it."""
    return amili.start(generation="A", fate="partial", objects=80, queued_seconds=6)


def look_at(page: Page, batch_id: UUID) -> None:
    page.add_init_script(SETTLED)
    page.goto("/")
    page.get_by_role("searchbox").fill(str(batch_id))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=WATCH)).to_be_visible(timeout=30_000)


def press(page: Page) -> None:
    page.get_by_role("button", name=WATCH).click()
    expect(page.get_by_role("button", name="Watching")).to_be_focused()


def wait_until_done(page: Page) -> None:
    # The first of these tests meets a stack that is just starting.
    expect(page.locator("html[data-settled]")).to_be_attached(timeout=120_000)


def told(page: Page) -> Any:
    return page.evaluate("window.told")


def short(batch_id: UUID) -> str:
    return f"{str(batch_id)[:4]}…{str(batch_id)[-4:]}"


def test_a_press_asks_for_permission_and_the_tab_tells_once_when_the_batch_is_done(
    open_page: OpenPage, running: UUID
) -> None:
    page = open_page(permissions=["notifications"])
    page.add_init_script(COUNTED % "default")
    look_at(page, running)
    assert page.evaluate("window.asked") == 0
    press(page)
    assert page.evaluate("window.asked") == 1
    inspect(page)
    page.evaluate("Notification.permission = 'granted'")
    wait_until_done(page)
    assert told(page) == [[f"Batch {short(running)}", page.locator("#batch-news").inner_text()]]
    assert re.fullmatch(r"Partly succeeded: \d+ succeeded, \d+ failed", told(page)[0][1])
    expect(page.get_by_role("button", name="Watching")).to_be_hidden()

    with page.expect_response(re.compile("/ask/")):  # which swaps the finished page
        page.get_by_role("button", name="Ask Amili now").click()
    expect(page.locator("[data-return]")).to_be_attached(timeout=30_000)
    page.get_by_role("link", name="History").click()
    expect(page.locator(".timeline")).to_be_visible()
    assert len(told(page)) == 1


def test_a_real_notification_is_shown_where_it_is_allowed(open_page: OpenPage, running: UUID) -> None:
    page = open_page(permissions=["notifications"])
    page.add_init_script(
        "const Real = window.Notification; window.told = [];"
        "window.Notification = class extends Real { constructor(...all) { super(...all); window.told.push(this.tag); } };"
    )
    look_at(page, running)
    press(page)
    wait_until_done(page)
    assert told(page) == [str(running)]


@pytest.mark.parametrize("stub", [COUNTED % "denied", UNUSABLE % "granted", UNSUPPORTED])
def test_where_it_is_denied_or_unknown_nothing_breaks_and_the_title_tells(
    open_page: OpenPage, running: UUID, stub: str
) -> None:
    page = open_page()
    page.add_init_script(stub)
    look_at(page, running)
    press(page)
    wait_until_done(page)
    assert not told(page)
    assert page.title().startswith("Partly succeeded ·")


def test_who_does_not_watch_or_no_longer_does_is_not_told(open_page: OpenPage, running: UUID) -> None:
    page = open_page()
    page.add_init_script(COUNTED % "granted")
    look_at(page, running)
    press(page)
    page.get_by_role("button", name="Watching").click()
    expect(page.get_by_role("button", name=WATCH)).to_be_focused()
    wait_until_done(page)
    assert told(page) == []
    assert not page.title().startswith("✓")


def test_a_hidden_tab_says_in_its_title_that_it_is_done_until_somebody_looks(
    open_page: OpenPage, running: UUID
) -> None:
    page = open_page()
    page.add_init_script(COUNTED % "granted")
    page.add_init_script("const now = Date.now; Date.now = () => 60 * now();")  # hidden tabs ask once a minute
    look_at(page, running)
    press(page)
    page.evaluate(HIDE, True)
    expect(page).to_have_title(re.compile("^✓ Partly succeeded ·"), timeout=60_000)
    assert len(told(page)) == 1
    page.evaluate(HIDE, False)
    expect(page).to_have_title(re.compile("^Partly succeeded ·"))


def test_a_double_click_watches_and_does_not_stop_it(page: Page, running: UUID) -> None:
    look_at(page, running)
    page.get_by_role("button", name=WATCH).dblclick()
    expect(page.get_by_role("button", name="Watching")).to_be_focused()
    page.reload()
    expect(page.get_by_role("button", name="Watching")).to_have_attribute("aria-pressed", "true")


def test_it_works_without_script(open_page: OpenPage, page: Page, running: UUID) -> None:
    look_at(page, running)
    plain = open_page(java_script_enabled=False)
    plain.goto(f"/batches/{running}/timeline/")
    plain.get_by_role("button", name=WATCH).click()
    expect(plain).to_have_url(re.compile(f"{running}/timeline/$"))
    plain.get_by_role("button", name="Watching").click()
    expect(plain.get_by_role("button", name=WATCH)).to_be_visible()


def test_the_page_of_alerts_keeps_what_is_typed_while_its_log_refreshes_itself(
    page: Page, expected_complaints: list[str]
) -> None:
    expected_complaints.append("Failed to load resource: the server responded with a status of 422")
    page.goto("/alerts/")
    page.get_by_role("button", name="Send a test message").click()
    page.get_by_label("From").fill("22:00")
    expect(page.locator("#log tbody tr").first).to_contain_text("Sent", timeout=30_000)
    expect(page.get_by_label("From")).to_have_value("22:00")
    inspect(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Set both times, or neither.")).to_be_visible()
    expect(page.get_by_label("Until")).to_be_focused()
    inspect(page)
