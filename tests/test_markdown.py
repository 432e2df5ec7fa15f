"""Notes are Markdown that can do no harm."""

import re

import pytest

from batches.markdown import LONGEST, to_html


def test_emphasis_lists_code_and_lines_are_read() -> None:
    html = to_html("**now** and *then*\nnext line\n\n- one\n- two\n\n`code`\n\n> said")
    for part in ("<strong>now</strong>", "<em>then</em><br>", "<li>one</li>", "<code>code</code>", "<blockquote>"):
        assert part in html


def test_a_heading_is_a_bold_line_since_the_headings_of_a_page_are_its_own() -> None:
    assert to_html("# Big\n\nAlso\n====") == "<p><strong>Big</strong></p>\n<p><strong>Also</strong></p>\n"


@pytest.mark.parametrize("address", ["https://example.no/a?b=1", "http://example.no", "mailto:kari@example.no"])
def test_links_lead_to_the_web_and_to_mail_and_tell_nobody_where_from(address: str) -> None:
    assert f'<a href="{address}" rel="nofollow noopener noreferrer">here</a>' in to_html(f"[here]({address})")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "/admin/",
        "//example.no",
        "file:///x",
    ],
)
def test_links_lead_nowhere_else(address: str) -> None:
    assert "href" not in to_html(f"[here]({address}) [there]: <{address}>")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![image](https://example.no/x.png)",
        "<b style='color:red' onclick=x>b</b>",
        "`<script>`",
        "```<script>\n<script>\n```",
        '[a](https://e.no "<script>")',
        "<svg/onload=alert(1)>",
    ],
)
def test_no_markup_of_the_writer_becomes_markup_of_the_page(text: str) -> None:
    tags = re.findall(r"</?([a-z]+)[^>]*>", to_html(text))
    assert set(tags) <= {"p", "code", "pre", "a"}
    assert not re.search(r"<[^>]*\s(on\w+|style|src|class)=", to_html(text))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "![(" * 20_000,
        "*a_ " * 20_000,
        ">" * 50_000,
        "- " * 30_000,
        "`a" * 30_000,
        "<" * 50_000,
        "|a" * 20_000,
    ],
)
def test_a_text_without_end_is_read_to_a_limit(text: str) -> None:
    assert len(to_html(text)) < 30 * LONGEST
