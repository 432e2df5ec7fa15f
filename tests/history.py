"""A year of what Amili told, the same for a seed: recorded by the same ways as in real life, up to this moment."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import batched
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from batches import sync, triage
from batches.amili import payload
from batches.amili.transport import Reply
from batches.days import holiday
from batches.facts import Question, told_by
from batches.models import Batch, Expectation
from batches.sync import Found
from batches.words import TriageState
from staff.models import Person
from tests.answers import Json, body, of_today, succeeded

OSLO = ZoneInfo("Europe/Oslo")
DAYS = 366
DAY = timedelta(days=1)

DAILY, STEADY, FIXED, RESTLESS, NEWCOMER, GONE = (UUID(int=n << 64 | 1, version=4) for n in range(1, 7))
WORKING_DAYS = range(5)
TYPES = ["INVOICE", "INVOICE", "invoice", "Payment", "PAYMENT", "NONE", ""]
MESSAGES = ["The debtor is missing", "Amount {n} is odd", "Invoice {n} is known", "Postal code {n} is no code"]
LATE_MESSAGE = "The KID number {n} is too long"  # was never said before the last weeks
STATES = [TriageState.LOOKING, *[state for state in TriageState if state != TriageState.NEW]]


@dataclass
class Sender:
    """When an organisation sends, and how reliably."""

    organization_id: UUID | None
    weekdays: range | tuple[int, ...]
    at: time | None = None  # empty: at any time of the day
    reliability: float = 0.95
    from_day: int = 0  # of the year
    to_day: int = 400
    rests_on_holidays: bool = True

    def sends_on(self, day: date, number: int, random: Random) -> bool:
        is_usual = day.weekday() in self.weekdays and self.from_day <= number <= self.to_day
        return is_usual and not (self.rests_on_holidays and holiday(day)) and random.random() < self.reliability


SENDERS = [
    Sender(DAILY, range(7), reliability=0.9, rests_on_holidays=False),
    Sender(STEADY, WORKING_DAYS, time(8, 10)),
    Sender(FIXED, (0, 3), time(9, 20), reliability=0.8),
    Sender(RESTLESS, WORKING_DAYS, time(12), reliability=0.5),
    Sender(NEWCOMER, WORKING_DAYS, time(14, 50), from_day=330),
    Sender(GONE, WORKING_DAYS, time(7, 40), to_day=345),
    Sender(None, range(7), reliability=0.1),
]


@dataclass
class Year:
    """Records a year that ends now, or its last days; remembers on which days something was corrected afterwards."""

    now: datetime
    person: Person
    last_days: int = DAYS
    seed: int = 5
    corrected_days: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.first = (self.now - DAYS * DAY).astimezone(OSLO).date()

    def record(self) -> None:
        """All of it, in the order in which it was heard of."""
        answers = list(self._answers())
        listed = [each for each in answers if each["organizationId"]]
        for organization_id in sorted({each["organizationId"] for each in listed}):
            own = [each for each in listed if each["organizationId"] == organization_id]
            for page in batched(own, 50, strict=False):
                _list(page, UUID(organization_id))
        for each in answers:
            if not each["organizationId"]:
                tell(each, _end(each) + timedelta(minutes=1))
        for each in self.random.sample(answers, len(answers) // 8):
            self._correct(each)
        self._still_run()
        self._triage()
        _expect(self.person, self.now)

    def _answers(self) -> Iterator[Json]:
        for number in range(DAYS - self.last_days, DAYS + 1):
            day = self.first + number * DAY
            for sender in SENDERS:
                if sender.sends_on(day, number, self.random):
                    created = self._moment(day, sender.at)
                    yield from self._answer(sender, created, is_late=number > DAYS - 20)

    def _moment(self, day: date, at: time | None) -> datetime:
        if at:
            return datetime.combine(day, at, OSLO).astimezone(UTC) + timedelta(minutes=self.random.randrange(25))
        start, end = (datetime.combine(each, time(), OSLO).timestamp() for each in (day, day + DAY))
        return datetime.fromtimestamp(self.random.randrange(int(start), int(end)), UTC)  # of 23, 24 or 25 hours

    def _answer(self, sender: Sender, created: datetime, *, is_late: bool) -> Iterator[Json]:
        """None, if it would be finished only after the year."""
        seconds = self.random.choice([20, 35, 90, 240, 1_000])
        long = self.random.choice([7_000, 90_000, 300_000]) if self.random.random() < 0.04 else 0
        finished = created + timedelta(seconds=seconds + self.random.randrange(60) + long)
        if finished < self.now - timedelta(minutes=5):
            yield self._objects(
                {
                    "batchId": str(UUID(int=self.random.getrandbits(128), version=4)),
                    "organizationId": str(sender.organization_id) if sender.organization_id else None,
                    "type": self.random.choice(TYPES),
                    "createdAt": created.isoformat(),
                    "finishedAt": finished.isoformat(),
                },
                is_late=is_late,
            )

    def _objects(self, data: Json, *, is_late: bool) -> Json:
        good, bad = self.random.choice([(4, 0), (6, 0), (1, 0), (3, 2), (5, 1), (0, 3)])
        messages = [*MESSAGES, LATE_MESSAGE] if is_late else MESSAGES
        texts = [self.random.choice(messages).format(n=self.random.randrange(99)) for _ in range(bad)]
        return of_today(
            "PARTIAL" if good and bad else "FAILED" if bad else "SUCCESS",
            **data,
            succeeded=[succeeded(n) for n in range(good)],
            failed=[{"objectIndex": n, "errors": [text]} for n, text in enumerate(texts)],
        )

    def _correct(self, data: Json) -> None:
        """The same again; other counts; another outcome; another day, or no time of the finish at all."""
        heard = _end(data) + timedelta(hours=self.random.randrange(2, 100))
        tell(data, heard)
        kept = {name: data[name] for name in ("batchId", "organizationId", "type", "createdAt", "finishedAt")}
        finished = self.random.choice([_end(data), _end(data) + DAY, None])
        if finished is None or finished < self.now - timedelta(minutes=5):
            corrected = self._objects({**kept, "finishedAt": finished and finished.isoformat()}, is_late=False)
            tell(corrected, heard + timedelta(minutes=5))
            tell(data, heard + timedelta(minutes=3))  # asked before and heard after: it counts no more
            self.corrected_days |= {_end(data).astimezone(OSLO).date(), _end(corrected).astimezone(OSLO).date()}

    def _still_run(self) -> None:
        """Batches that are not finished: of a moment ago and of weeks ago, and one that nobody asks about any more."""
        for place, age in enumerate([timedelta(minutes=3), timedelta(minutes=40), 5 * DAY, 23 * DAY, 300 * DAY]):
            created = self.now - age
            tell(
                of_today(
                    "IN_PROGRESS",
                    batchId=str(UUID(int=self.random.getrandbits(128), version=4)),
                    organizationId=str(DAILY) if place % 2 else None,
                    createdAt=created.isoformat(),
                    finishedAt=None,
                ),
                created if age > 100 * DAY else self.now,
            )

    def _triage(self) -> None:
        failed = list(Batch.objects.with_failures().order_by("pk"))
        for batch in self.random.sample(failed, len(failed) // 2):
            triage.move(batch, self.person, batch.triage_revision, self.random.choice(STATES), None)


def tell(data: Json, asked_at: datetime) -> None:
    """An answer about one batch."""
    batch_id = UUID(data["batchId"])
    Batch.objects.follow([batch_id], asked_at)
    sync.record(batch_id, Reply(200, body(data)), Question(asked_at))


def _list(page: tuple[Json, ...], organization_id: UUID) -> None:
    """A page of a list, which tells the whole of each batch."""
    heard = max(map(_end, page))
    replies = [Reply(200, body(each)) for each in page]
    told = [
        told_by(payload.read_batch(reply.body, UUID(each["batchId"])))
        for reply, each in zip(replies, page, strict=True)
    ]
    found = [
        Found(one.snapshot.batch_id, one.snapshot.created_at, reply, one)
        for reply, one in zip(replies, told, strict=True)
    ]
    sync.record_new(found, organization_id, heard, Question(heard))


def _end(data: Json) -> datetime:
    return datetime.fromisoformat(data["finishedAt"] or data["createdAt"])


def _expect(person: Person, now: datetime) -> None:
    Expectation.objects.create(
        organization_id=FIXED, mode="fixed", weekdays=[0, 2], by=time(10), set_by=person, set_at=now
    )
    Expectation.objects.create(organization_id=RESTLESS, mode="never", set_by=person, set_at=now)
