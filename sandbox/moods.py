"""Moods: for some time the whole of the sandbox misbehaves, whatever is asked. Its own page never does."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

from sandbox.faults import WELL, html_page
from sandbox.orders import Order, number, one_of
from sandbox.wire import HangUpError, RefusedError, Response

API, SIGN_IN = "/collection/v1/", "/token"
LONGEST = 3600
LONGEST_WAIT = 7.0
"""Seconds that Retry-After asks for at most, so that a person who ends the mood sees a recovery soon."""

MOODS = {
    WELL: "Answers as it should",
    "dark": "Dark: resets every connection",
    "401": "401: refuses every token",
    "sign-in down": "Sign-in down: 503 where tokens are issued",
    "sign-in refuses": "Sign-in refuses: 401 where tokens are issued",
    "429": "429: too many requests, with Retry-After",
    "503": "503: unavailable, with Retry-After as a date",
    "500": "500: an error at Amili",
    "html": "An HTML page where JSON should be",
    "slow": "Slow: each answer takes a minute",
}
_STATUSES = {"401": 401, "sign-in down": 503, "sign-in refuses": 401, "429": 429, "503": 503, "500": 500}
_OF_SIGN_IN = ("dark", "sign-in down", "sign-in refuses")
_OF_API = tuple(mood for mood in MOODS if not mood.startswith("sign-in"))


class Mood(NamedTuple):
    """One of the moods, and when it ends. None that answers well ever does."""

    name: str
    until: datetime | None


class Moods:
    """The mood now: somebody chose it, and it ends by itself."""

    def __init__(self, clock: Callable[[], datetime], slow_seconds: float) -> None:
        self._clock, self._slow_seconds = clock, slow_seconds
        self._mood = Mood(WELL, None)

    def now(self) -> Mood:
        """The mood now."""
        mood = self._mood
        return Mood(WELL, None) if mood.until and mood.until <= self._clock() else mood

    def choose(self, order: Order) -> Mood:
        """The mood that the order names, from now on, for as many seconds as it says."""
        name = one_of({"mood": str(order.get("mood"))}, "mood", MOODS, WELL)
        seconds = number(order, "seconds", 60, least=1, most=LONGEST)
        self._mood = Mood(name, None if name == WELL else self._clock() + timedelta(seconds=seconds))
        return self._mood

    def play(self, path: str, answer: Callable[[], Response]) -> Response:
        """The answer in this mood to a request for that path."""
        mood = self.now()
        if not _concerns(mood.name, path):
            return answer()
        match mood.name:
            case "dark":
                raise HangUpError
            case "html":
                return html_page()
            case "slow":
                return replace(answer(), delay=self._slow_seconds)
        status = _STATUSES[mood.name]
        raise RefusedError(status, f"The sandbox is in the mood {mood.name}", self._headers(mood))

    def _headers(self, mood: Mood) -> dict[str, str] | None:
        now = self._clock()
        left = min(LONGEST_WAIT, (mood.until - now).total_seconds()) if mood.until else 0
        match mood.name:
            case "429":
                return {"Retry-After": str(math.ceil(left))}
            case "503":
                return {"Retry-After": format_datetime(now + timedelta(seconds=left), usegmt=True)}
        return None


def _concerns(mood: str, path: str) -> bool:
    if mood == WELL:
        return False
    return mood in _OF_SIGN_IN if path == SIGN_IN else path.startswith(API) and mood in _OF_API
