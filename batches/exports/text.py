"""Text as a spreadsheet may have it."""

import re

# What looks like nothing in front of a formula: white space, controls, and characters without a shape of their own.
_UNSEEN = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_FORMULA = re.compile(rf"[\t\r\n\0]|[{_UNSEEN}]*+[=+\-@＝＋－＠]")


def neutral(text: str) -> str:
    """The text; with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
