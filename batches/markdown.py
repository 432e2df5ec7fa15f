"""What people write in notes, as HTML that can do no harm."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

LONGEST = 10_000
"""Characters of a text; what follows them is not shown."""

_INLINE = {"a", "br", "code", "em", "s", "strong"}
_BLOCKS = {"blockquote", "hr", "li", "ol", "p", "pre", "ul"}

_parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable("image")
# The headings of a page are its own: in a note they are bold lines.
_parser.add_render_rule("heading_open", lambda *_: "<p><strong>")
_parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")


@lru_cache(maxsize=512)
def to_html(text: str) -> str:
    """Markdown as HTML: no images, no headings, no HTML of its own, and links to nowhere but the web and mail."""
    return nh3.clean(
        _parser.render(text[:LONGEST]),
        tags=_INLINE | _BLOCKS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="nofollow noopener noreferrer",
    )
