"""The wall view on a screen that nobody touches: readable, whole, and honest about how fresh it is."""

from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Amili, OpenPage
from tests.browser.test_access import AXE, VIOLATIONS, inspect
from tests.stack import until

WALL = "/outcomes/wall/"
LINKS = "/outcomes/wall/links/"
FULL_HD: ViewportSize = {"width": 1920, "height": 1080}
SCREENS: list[ViewportSize] = [FULL_HD, {"width": 1280, "height": 720}, {"width": 1080, "height": 1920}]
PHONE: ViewportSize = {"width": 390, "height": 844}
FAR_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}}
DIGITS = """() => [...document.querySelectorAll(".number")].map(number => {
    const pen = document.createElement("canvas").getContext("2d");
    const {fontWeight, fontSize, fontFamily} = getComputedStyle(number);
    pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    return pen.measureText("0").actualBoundingBoxAscent / innerHeight;
})"""
OUTSIDE = """() => [...document.querySelectorAll("#wall *")].filter(element => {
    const {right, bottom} = element.getBoundingClientRect();
    return right > innerWidth + 1 || bottom > innerHeight + 1;
}).map(element => element.outerHTML)"""


def make_link(page: Page, name: str) -> str:
    """By hand, as a person does, and copied."""
    page.goto(LINKS)
    page.get_by_label("Which screen it is for").fill(name)
    page.get_by_role("button", name="Make a link").click()
    address = page.locator("#wall-link").get_attribute("href")
    assert address
    return address


def readable_from_afar(page: Page) -> bool:
    """By the contrast of WCAG's AAA."""
    page.evaluate(AXE)
    return page.evaluate(VIOLATIONS, FAR_CONTRAST) == []


def pass_time(page: Page, seconds: int = 10) -> None:
    """Until the screen has asked once more."""
    with page.expect_request("**/wall/**"):
        page.clock.run_for(1000 * seconds)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_whole_and_readable_from_afar_on_every_screen(
    open_page: OpenPage, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(color_scheme=scheme)
    for size in [*SCREENS, PHONE]:
        page.set_viewport_size(size)
        page.goto(WALL)
        assert readable_from_afar(page)
        if size != PHONE:
            assert page.evaluate(OUTSIDE) == []
        if size == FULL_HD:
            assert min(page.evaluate(DIGITS)) >= 0.06
    inspect(page)


def test_what_finished_stands_in_one_row(page: Page, amili: Amili) -> None:
    amili.start(fate="partial", objects=5, queued_seconds=0)
    page.set_viewport_size(FULL_HD)
    page.goto(WALL)
    expect(page.locator(".first strong")).to_be_visible(timeout=60_000)
    for part in ("h2", ".number"):
        tops = page.locator(f".first {part}").evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
        assert max(tops) - min(tops) < 1


def test_what_is_new_appears_by_itself(page: Page, amili: Amili) -> None:
    page.clock.install()
    page.goto(WALL)
    finished = page.locator(".number").first
    before = finished.inner_text()
    amili.start(fate="success", objects=5, queued_seconds=0)

    def is_new() -> bool:
        pass_time(page)
        return finished.inner_text() != before

    until(is_new, 30)
    expect(page.get_by_text("Up to date at")).to_be_visible()


def test_a_dashboard_that_does_not_answer_is_told_until_it_does(page: Page, expected_complaints: list[str]) -> None:
    expected_complaints.extend(["Failed to load resource", "htmx:", "Response Status Error Code 503"])
    page.clock.install()
    page.goto(WALL)
    told = page.get_by_text("Not up to date since")
    page.route("**/wall/**", lambda route: route.abort())
    pass_time(page)
    expect(told).to_be_hidden()  # one lost answer is nothing yet
    pass_time(page, 20)
    expect(told).to_be_visible()
    assert readable_from_afar(page)
    page.unroute("**/wall/**")
    pass_time(page)
    expect(told).to_be_hidden()
    page.route("**/wall/**", lambda route: route.fulfill(status=503, body="<h1>Away</h1>"))
    pass_time(page, 30)
    expect(told).to_be_visible()
    expect(page.get_by_text("Away")).to_be_hidden()


def test_a_screen_with_a_link_needs_no_sign_in_until_it_is_revoked(
    page: Page, open_page: OpenPage, expected_complaints: list[str]
) -> None:
    expected_complaints.extend(["Failed to load resource: the server responded with a status of 404", "htmx:"])
    screen = open_page(storage_state=None)
    screen.clock.install()
    screen.goto(make_link(page, "Reception"))
    expect(screen.get_by_text("Batches finished")).to_be_visible()
    pass_time(screen)
    expect(screen.get_by_text("Up to date at")).to_be_visible()
    assert screen.context.cookies() == []
    page.goto(LINKS)
    row = page.get_by_role("row", name="Reception")
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke the link").click()
    expect(row).to_contain_text("Revoked")
    pass_time(screen)
    expect(screen.get_by_text("This link is not valid any more")).to_be_visible()
    inspect(screen)


def test_the_page_of_links_is_accessible_and_gives_the_link_to_copy(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    address = make_link(page, "Kitchen")
    inspect(page)
    page.get_by_role("button", name="Copy the link").click()
    assert page.evaluate("navigator.clipboard.readText()") == address
