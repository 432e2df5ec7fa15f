"""What is known of a bearer token: what the sign-in granted, or why it did not, and how long either counts."""

import math
from typing import Annotated, Self

import msgspec
from msgspec import Struct

from batches.amili.errors import AmiliError, Busy, KeysRefused, Later, NotUnderstood, Refused

# A token that ends while a request is under way is refused: have a new one this many seconds before.
MARGIN = 60.0
LAST_SECONDS = 5.0
"""Where no new one is to be had, the old one is used until so shortly before its end."""

UNKNOWN_LIFETIME = 300.0  # where an answer says nothing of the token's end
SHORTEST_LIFETIME, LONGEST_LIFETIME = 30.0, 24 * 3600.0
"""A token counts as good for so long whatever is said of it: clocks differ, and each question must not fetch its own."""

PAUSE_WHEN_AWAY, PAUSE_WHEN_REFUSED = 10.0, 60.0
"""For how long nobody asks the sign-in again after it failed."""

SHORTEST_PAUSE = 1.0

_KINDS = {kind.trouble: kind for kind in (Later, Busy, Refused, KeysRefused, NotUnderstood)}


class Failure(Struct, frozen=True):
    """Why there is no new token, and until when nobody asks again."""

    trouble: str
    sentence: str
    status: int
    request_id: str
    until: float

    @classmethod
    def of(cls, problem: AmiliError, now: float) -> Self:
        """A failure with its pause: as long as Amili says, or as may help."""
        pause = PAUSE_WHEN_REFUSED
        if isinstance(problem, Later):
            pause = PAUSE_WHEN_AWAY if problem.retry_after is None else max(problem.retry_after, SHORTEST_PAUSE)
        return cls(problem.trouble, str(problem), problem.status, problem.request_id, now + pause)

    def error(self, now: float) -> AmiliError:
        """What everybody hears meanwhile."""
        wait = max(self.until - now, 0.0)
        return _KINDS.get(self.trouble, Later)(
            self.sentence, status=self.status, request_id=self.request_id, retry_after=wait
        )


class Kept(Struct, frozen=True):
    """What all processes know of the token: itself, and what came of the last attempt to get another. Unix times."""

    token: str = ""
    renew_at: float = 0.0
    ends_at: float = 0.0
    replaced_at: float = 0.0  # when a token was last thrown away because Amili refused it
    failure: Failure | None = None

    def settles(self, now: float) -> bool:
        """Whether there is nothing to fetch now."""
        return now < self.renew_at or (self.failure is not None and now < self.failure.until)

    def is_usable(self, now: float) -> bool:
        """Whether the token is good for one more question."""
        return now < self.ends_at - LAST_SECONDS

    def lasts_until(self) -> float:
        """When nothing of this is worth to be known any more."""
        return max(self.ends_at, self.failure.until if self.failure else 0.0)


class Grant(Struct):
    access_token: Annotated[str, msgspec.Meta(pattern=r"\A[ -~]+\Z")]
    expires_in: float | None = None
    expires_on: float | None = None

    def ends_at(self, now: float) -> float:
        """The sooner of the two ends that the answer may name."""
        ends = [self.expires_on, now + self.expires_in if self.expires_in is not None else None]
        known = [end for end in ends if end is not None and math.isfinite(end)] or [now + UNKNOWN_LIFETIME]
        return max(min([*known, now + LONGEST_LIFETIME]), now + SHORTEST_LIFETIME)

    def kept(self, now: float, replaced_at: float) -> Kept:
        """The token with the time to renew it: a short-lived one at half of its life."""
        ends_at = self.ends_at(now)
        return Kept(self.access_token, ends_at - min(MARGIN, (ends_at - now) / 2), ends_at, replaced_at)
