"""The banner and the connection page, on pages that stay open while something goes away and comes back."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.browser.conftest import watch_polls
from tests.browser.test_access import inspect
from tests.stack import Run, until

FINISHED = "/batches/5a4db0c5-0000-4000-8000-000000000001/"
AWAY = "The queue of this dashboard is away: nothing has come through it since"


@contextmanager
def no_valkey(stack: Run) -> Iterator[None]:
    """Valkey hangs: it takes connections and answers nothing."""
    valkey = [process for process in stack.processes() if "valkey.conf" in " ".join(process.cmdline())]
    for process in valkey:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in valkey:
            process.send_signal(signal.SIGCONT)


def pass_time(page: Page) -> None:
    """Until the banner has polled once more."""
    with page.expect_response(re.compile("/amili/banner/")):
        page.clock.run_for(15_000)


def says_in_time(page: Page, text: str) -> None:
    """The banner comes to say so. The server looks at the queue only every few seconds, however fast the page's clock runs."""

    def says() -> bool:
        pass_time(page)
        said = page.locator("#banner").inner_text().strip()
        return said.startswith(text) if text else not said

    until(says, 15)


def test_the_banner_appears_and_vanishes_on_a_page_that_stays_open_paused_or_not(page: Page, stack: Run) -> None:
    page.clock.install()
    page.goto("/accounts/password/")  # a page on which nothing else changes by itself
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.evaluate("localStorage.setItem('live-paused', '1')")
    page.get_by_label("Current Password").fill("half typed")
    expect(page.locator("#banner")).to_be_empty()
    with no_valkey(stack):
        says_in_time(page, AWAY)
        inspect(page)
        polls = watch_polls(page)
        pass_time(page)
        assert polls == []
    says_in_time(page, "")
    expect(page.get_by_label("Current Password")).to_have_value("half typed")


def test_banner_and_connection_page_change_at_once(page: Page, stack: Run) -> None:
    page.goto("/amili/")
    first, banner = page.locator(".lead .first"), page.locator("#banner")
    with no_valkey(stack):
        expect(first).to_contain_text("The queue does not answer.", timeout=15_000)
        assert banner.inner_text().startswith(AWAY)
        with page.expect_response(re.compile("/amili/banner/"), timeout=6_000):
            pass  # while it says something, it asks more often
    expect(first).to_contain_text("All is well", timeout=15_000)
    assert banner.inner_text().strip() == ""


def test_who_asks_meanwhile_is_answered_when_it_is_over_without_pressing_again(page: Page, stack: Run) -> None:
    page.goto(FINISHED)
    before = page.get_by_label("Facts").locator("p.age time").first.inner_text()
    with no_valkey(stack):
        page.reload()
        page.get_by_role("button", name="Ask Amili now").click()
        expect(page.locator("#noted")).to_contain_text("Your question is noted.")
        expect(page.get_by_role("button", name="Noted")).to_be_visible()
    expect(page.get_by_role("button", name="Ask Amili now")).to_be_visible(timeout=20_000)
    expect(page.locator("#noted")).to_be_hidden()
    expect(page.get_by_label("Facts").locator("p.age time").first).not_to_have_text(before)


def test_what_is_unfolded_on_the_connection_page_stays_so_while_it_changes(page: Page) -> None:
    page.goto("/amili/")
    page.get_by_text("The same in numbers").click()
    chart = page.locator(".numbers").first
    before = chart.inner_text()
    expect(chart).not_to_have_text(before, use_inner_text=True, timeout=15_000)
    expect(page.get_by_role("columnheader", name="Minute")).to_be_visible()
