"""What each answer of Amili's means: which trouble it is, what is kept of it, and when we ask again.

The one table of it: the pace goes by it, the README shows it, and a test plays every row of it.
"""

from datetime import timedelta
from typing import NamedTuple

from batches.words import Trouble


class Meaning(NamedTuple):
    """A row of the table. `again` is the least time until the next question; None where there is none by itself."""

    answer: str
    trouble: Trouble
    kept: str
    again: timedelta | None


FACTS_STAY = "nothing; the facts stay"

MEANINGS = [
    Meaning("200, of either generation", Trouble.NONE, "the facts, and the answer as a version", timedelta()),
    Meaning("200, as the last time", Trouble.NONE, "when we asked", timedelta()),
    Meaning(
        "200 that is a web page, a text, empty, cut, or about another batch",
        Trouble.NOT_UNDERSTOOD,
        "the answer as a version; the facts stay",
        timedelta(minutes=1),
    ),
    Meaning(
        "200 beyond the limit of size, as it comes or unpacked, or packed twice",
        Trouble.NOT_UNDERSTOOD,
        FACTS_STAY,
        timedelta(minutes=1),
    ),
    Meaning("400, 422, and other refusals", Trouble.REFUSED, FACTS_STAY, timedelta(minutes=15)),
    Meaning("401, with a new token too", Trouble.KEYS_REFUSED, FACTS_STAY, timedelta(minutes=1)),
    Meaning("403", Trouble.FORBIDDEN, FACTS_STAY, timedelta(minutes=5)),
    Meaning("404", Trouble.NOT_THERE, FACTS_STAY, timedelta(seconds=10)),
    Meaning("409", Trouble.CONFLICT, FACTS_STAY, timedelta(seconds=30)),
    Meaning("410", Trouble.GONE, FACTS_STAY, None),
    Meaning("429", Trouble.BUSY, FACTS_STAY, timedelta(seconds=10)),
    Meaning("500, 502, 503, 504", Trouble.UNREACHABLE, FACTS_STAY, timedelta(seconds=10)),
    Meaning(
        "No connection, a reset, a time-out, a drip without end", Trouble.UNREACHABLE, FACTS_STAY, timedelta(seconds=10)
    ),
    Meaning(
        "An answer that a fault of ours keeps from being recorded", Trouble.OWN_FAULT, FACTS_STAY, timedelta(minutes=1)
    ),
]

AGAIN = {meaning.trouble: meaning.again for meaning in MEANINGS}
