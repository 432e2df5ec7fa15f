"""A page that changes by itself: what a swap must not disturb, when it holds back, and what it does when it is cut off."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Amili, sign_in, watch_polls
from tests.stack import Run

# A status that nobody knows: it has rows to filter, and is asked about for as long as somebody looks.
RUNNING_WITH_ROWS = "/batches/5a4db0c5-0000-4000-8000-000000000005/"
FINISHED = "/batches/5a4db0c5-0000-4000-8000-000000000001/"
QUEUED = "/batches/5a4db0c5-0000-4000-8000-000000000003/"

POLL = re.compile(r"[?&]stamp=")

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def is_poll(request: Request) -> bool:
    return bool(POLL.search(request.url))


def swaps(page: Page, times: int = 1) -> None:
    """Wait until the page has changed by itself so many times: it states the time that its facts are from."""
    for _ in range(times):
        facts = page.get_by_label("Facts")
        expect(facts).not_to_have_text(facts.inner_text(), use_inner_text=True, timeout=15_000)


@pytest.fixture
def live(page: Page) -> Page:
    """The page of a batch with rows that runs, on a low screen."""
    page.set_viewport_size({"width": 1000, "height": 400})
    page.goto(RUNNING_WITH_ROWS)
    expect(page.locator("tbody tr").first).to_be_visible(timeout=30_000)  # where nobody has asked about it before
    return page


def test_a_swap_keeps_scroll_position_selection_and_focus(live: Page) -> None:
    live.get_by_role("link", name="History").focus()
    live.evaluate("window.scrollTo(0, 300)")
    live.evaluate("getSelection().selectAllChildren(document.querySelector('tbody tr td:nth-child(3)'))")
    selected = live.evaluate("String(getSelection())")
    assert re.search("[0-9a-f-]{36}", selected)

    swaps(live, 2)
    assert live.evaluate("String(getSelection())") == selected
    assert live.evaluate("scrollY") == 300
    expect(live.get_by_role("link", name="History")).to_be_focused()


def test_a_swap_keeps_what_is_being_typed_into_the_filter(live: Page) -> None:
    box, facts = live.get_by_role("searchbox", name="Invoice number"), live.get_by_label("Facts")
    before, text = facts.inner_text(), "no invoice has this text"
    box.press_sequentially(text, delay=160)  # faster than the filter sends itself
    while facts.inner_text() == before:  # until it has changed meanwhile
        assert len(text) < 120
        box.press_sequentially("x", delay=160)
        text += "x"
    expect(box).to_have_value(text)
    expect(box).to_be_focused()
    expect(live.locator("#batch")).to_contain_text("No row fits this filter.")
    expect(live).to_have_url(re.compile(r"[?&]text=no.*invoice"))

    swaps(live)
    expect(box).to_have_value(text)
    expect(live.locator("#batch")).to_contain_text("No row fits this filter.")


def test_a_filter_waits_for_a_poll_under_way_so_that_no_late_answer_undoes_it(live: Page) -> None:
    live.clock.install()
    live.reload()
    late: list[Route] = []
    live.route(POLL, lambda route: route.continue_() if late else late.append(route))
    live.wait_for_event("request", is_poll)
    sent: list[str] = []
    live.on("request", lambda request: sent.append(request.url))
    live.get_by_role("searchbox", name="Invoice number").fill("no invoice has this text")
    live.clock.run_for(1_000)  # after which the filter sends itself
    live.evaluate("fetch('/health/')")
    assert [url for url in sent if "text=" in url] == []

    late[0].continue_()
    expect(live.locator("#batch")).to_contain_text("No row fits this filter.")
    swaps(live, 2)
    expect(live.locator("#batch")).to_contain_text("No row fits this filter.")


def test_asking_amili_now_keeps_tab_and_filter(page: Page) -> None:
    page.goto(f"{FINISHED}errors/?index=0-900")
    expect(page.locator("tbody tr")).not_to_have_count(0, timeout=30_000)  # the first test may come before the answer
    rows = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("button", name="Ask Amili now").click()
    swaps(page)
    assert page.locator("tbody tr").all_inner_texts() == rows
    expect(page).to_have_url(re.compile(r"/errors/\?index=0-900$"))

    page.goto(f"{FINISHED}timeline/")
    page.get_by_role("button", name="Ask Amili now").click()
    swaps(page)
    expect(page.get_by_role("link", name="History")).to_have_attribute("aria-current", "page")


def test_pause_stops_the_polls_is_remembered_and_goes_on(live: Page) -> None:
    live.get_by_role("button", name="Pause").click()
    expect(live.get_by_label("Facts")).to_contain_text("live updates are paused")
    live.clock.install()
    live.reload()
    expect(live.get_by_role("button", name="Go on live")).to_be_visible()
    polls = watch_polls(live)
    live.clock.run_for(30_000)
    assert polls == []

    with live.expect_request(is_poll):
        live.get_by_role("button", name="Go on live").click()
    swaps(live)


def test_a_pause_holds_for_the_lists_too_which_have_the_same_button(live: Page) -> None:
    live.get_by_role("button", name="Pause").click()
    live.clock.install()
    polls = watch_polls(live)
    for path in ("/", "/batches/"):
        live.goto(path)
        expect(live.get_by_role("button", name="Go on live")).to_be_visible()
        live.clock.run_for(10_000)
    assert polls == []


def test_who_asks_amili_on_a_paused_page_sees_the_answer(live: Page) -> None:
    live.get_by_role("button", name="Pause").click()
    before = live.get_by_label("Facts").locator("time").first.inner_text()
    live.get_by_role("button", name="Ask Amili now").click()
    expect(live.get_by_label("Facts")).not_to_contain_text(f"From Amili at {before}")
    expect(live.get_by_role("button", name="Ask Amili now")).to_be_visible()


def test_a_hidden_tab_polls_once_a_minute_and_at_once_when_it_is_shown_again(page: Page) -> None:
    page.clock.install()
    page.goto(QUEUED)
    page.evaluate(HIDE, True)
    polls = watch_polls(page)
    for _ in range(60):
        page.clock.run_for(3_000)
    assert 1 <= len(polls) <= 3

    with page.expect_request(is_poll, timeout=5_000):
        page.evaluate(HIDE, False)


@contextmanager
def silent(page: Page, stack: Run) -> Iterator[None]:
    """The web server takes connections and answers nothing, as when it hangs."""
    web = [process for process in stack.processes() if "granian" in process.cmdline()]
    for process in web:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in web:
            process.send_signal(signal.SIGCONT)


@contextmanager
def unreachable(page: Page, stack: Run) -> Iterator[None]:
    """No way leads to the web server."""
    page.context.set_offline(True)
    yield
    page.context.set_offline(False)


@pytest.mark.parametrize("away", [silent, unreachable], ids=["silent", "unreachable"])
def test_a_banner_says_that_our_server_is_away_and_goes_when_it_is_back(
    live: Page, stack: Run, expected_complaints: list[str], away: Callable[[Page, Run], AbstractContextManager[None]]
) -> None:
    expected_complaints.extend(["Failed to load resource: net::ERR_INTERNET_DISCONNECTED", "htmx:"])
    banner = live.get_by_role("alert").filter(has_text="The dashboard does not answer")
    with away(live, stack):
        expect(banner).to_be_visible(timeout=10_000)
    expect(banner).to_be_hidden()
    swaps(live)


def test_an_ended_sign_in_leads_to_the_form_and_from_there_back(live: Page) -> None:
    live.context.clear_cookies()
    expect(live).to_have_title(re.compile("^Sign in"))
    sign_in(live)
    expect(live).to_have_url(re.compile(f"{RUNNING_WITH_ROWS}$"))


def test_the_first_page_lists_what_runs_and_lets_it_go_when_it_is_finished(page: Page, amili: Amili) -> None:
    batch_id = amili.start(fate="failed", queued_seconds=6)
    page.goto("/")
    page.get_by_role("searchbox").fill(str(batch_id))
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_contain_text("Queued")
    page.goto("/")
    link = page.get_by_role("link", name=re.compile(f"^{str(batch_id)[:4]}…{str(batch_id)[-4:]}"))
    expect(page.get_by_role("region", name="Running now").filter(has=link)).to_be_visible()
    expect(page.get_by_role("region", name="Failed lately").filter(has=link)).to_be_visible(timeout=20_000)
    expect(page.get_by_role("region", name="Running now").filter(has=link)).to_be_hidden()
