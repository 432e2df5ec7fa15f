"""What tests read: the text of a page as people see it, and its elements."""

import re
from collections.abc import Callable
from html import unescape

from django.http import HttpResponse
from django.utils import timezone

HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert('not run')</script>\0\a\u202e\ud83d"
# What people, scanners and broken links put into an address.
GARBAGE = [
    "",
    " ",
    "x\0y",
    "-1",
    "9" * 19,
    "9" * 400,
    "1e9",
    "١٧",
    "%",
    "'; --",
    "../..",
    "<script>alert(1)",
    "\u202e",
    "9999-12-31",
]


def seen(response: HttpResponse) -> str:
    """The text of a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def ids(response: HttpResponse) -> list[str]:
    """The ids of its elements."""
    return re.findall(r'\bid="([^"]*)"', response.content.decode())


def links(response: HttpResponse, rel: str) -> list[str]:
    """Where the links with this relation lead to."""
    tags = re.findall(r"<a\b[^>]*>", response.content.decode())
    return [unescape(re.findall(r'href="([^"]*)"', tag)[0]) for tag in tags if f'rel="{rel}"' in tag]


def in_one_minute[Found](deed: Callable[[], Found]) -> Found:
    """What comes of this where no minute begins meanwhile: with each, what today shows may be new."""
    while True:
        begun = timezone.now().minute
        found = deed()
        if timezone.now().minute == begun:
            return found
