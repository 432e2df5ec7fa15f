"""The batches that we follow: Amili's facts as last understood, and where we stand in asking for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.models.following import OPEN_FOR, TOOK_LONG, BatchQuerySet
from batches.models.triage import Triaged
from batches.pace import LOOK_FOR, WATCHED
from batches.words import FINISHED, Doubt, Outcome, Source, Trouble


class Batch(Triaged):
    """A batch that we follow: Amili's facts as last understood, and where we stand in asking for them."""

    id = models.UUIDField(_("batch ID"), primary_key=True)

    # Amili's facts, written by batches.sync alone
    type = models.TextField(default="", blank=True)
    status = models.TextField(default="", blank=True)  # Amili's word as it came
    statuscode = models.IntegerField(null=True)  # of the first generation
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.UNKNOWN)
    created_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    organization_id = models.UUIDField(null=True)
    created_by = models.TextField(default="", blank=True)
    error_count = models.PositiveIntegerField(default=0)
    response_count = models.PositiveIntegerField(default=0)
    succeeded_count = models.PositiveIntegerField(default=0)
    failed_item_count = models.PositiveIntegerField(default=0)
    succeeded_objects = models.PositiveIntegerField(default=0)
    failed_objects = models.PositiveIntegerField(default=0)
    doubts = ArrayField(models.CharField(max_length=40, choices=Doubt), default=list)
    odd_fields = ArrayField(models.TextField(), default=list)
    digest = models.BinaryField(default=b"", editable=False)  # of the answer that these facts are from
    facts_digest = models.BinaryField(default=b"", editable=False)  # of the facts and rows alone
    checked_at = models.DateTimeField(null=True)  # when we asked the question whose answer these facts are
    changed_at = models.DateTimeField(null=True)  # when the facts last changed

    grouping = models.PositiveSmallIntegerField(
        default=0
    )  # by which version its error rows are grouped; 0: they are not

    # where we stand in asking
    first_seen_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)  # when we first met it in its organisation's list
    asked_at = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=10, choices=Source, default=Source.PERSON)  # who wanted the next check
    next_check_at = models.DateTimeField(null=True)  # empty: we no longer ask
    claimed_until = models.DateTimeField(null=True)
    watched_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=20, choices=Trouble, default=Trouble.NONE, blank=True)
    trouble_detail = models.TextField(default="", blank=True)
    trouble_since = models.DateTimeField(null=True)
    revision = models.PositiveBigIntegerField(default=0)  # goes up with every change that a page can show

    # the rest of triage; what a cause has too stands in Triaged
    corrected_in = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="corrects"
    )  # indexed: the replacement names what it corrects

    submitted_at = models.GeneratedField(
        expression=Coalesce("created_at", "first_seen_at"), output_field=models.DateTimeField(), db_persist=True
    )

    # The day on which it counts. Amili fills `finishedAt` of batches that are only queued; one that is finished may lack it.
    ended_at = models.GeneratedField(
        expression=models.Case(
            models.When(outcome__in=FINISHED, then=Coalesce("finished_at", "created_at", "first_seen_at"))
        ),
        output_field=models.DateTimeField(),
        db_persist=True,
    )

    objects = BatchQuerySet.as_manager()

    # Given by batches.rhythm to a batch that is stuck, for those who show it; kept nowhere.
    limit: timedelta | None = None  # that it has run longer than
    usually_within: timedelta | None = None  # in which its organisation's are done, where anybody can say

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=Outcome.values), name="outcome_is_one_of_our_words"),
            models.CheckConstraint(
                condition=models.Q(corrected_in__isnull=True)
                | (models.Q(triage_state="corrected") & ~models.Q(corrected_in=models.F("id"))),
                name="what_corrects_is_another_batch",
            ),
            models.CheckConstraint(
                condition=models.Q(trouble="", trouble_since__isnull=True)
                | (~models.Q(trouble="") & models.Q(trouble_since__isnull=False)),
                name="trouble_has_a_beginning",
            ),
        ]
        indexes = [
            models.Index(fields=["-submitted_at", "-id"], name="batch_newest_first"),  # newest_first, submitted_on
            models.Index(  # due
                fields=["next_check_at"], name="batch_due", condition=models.Q(next_check_at__isnull=False)
            ),
            # Running, and the list's filters:
            models.Index(fields=["outcome", "-submitted_at", "-id"], name="batch_by_outcome"),
            models.Index(fields=["organization_id", "-submitted_at", "-id"], name="batch_by_organization"),
            models.Index(Upper("type"), models.F("submitted_at").desc(), models.F("id").desc(), name="batch_by_type"),
            models.Index(  # with_failures, newest first
                fields=["-submitted_at", "-id"],
                name="batch_failed_lately",
                condition=models.Q(outcome__in=["failed", "partial"]),
            ),
            models.Index(  # unresolved, newest first
                fields=["-submitted_at", "-id"],
                name="batch_unresolved",
                condition=models.Q(outcome__in=["failed", "partial"])
                & ~models.Q(triage_state__in=["corrected", "ignored"]),
            ),
            models.Index(  # what a person has to do, newest first
                fields=["owner", "-submitted_at", "-id"],
                name="batch_to_do",
                condition=models.Q(outcome__in=["failed", "partial"])
                & ~models.Q(triage_state__in=["corrected", "ignored"])
                & models.Q(owner__isnull=False),
            ),
            models.Index(  # waiting, newest first
                fields=["-submitted_at", "-id"],
                name="batch_waiting",
                condition=models.Q(outcome__in=["failed", "partial"])
                & models.Q(triage_state__in=["waiting_creditor", "waiting_amili"]),
            ),
            models.Index(  # a person's own, newest first
                fields=["owner", "-submitted_at", "-id"],
                name="batch_by_owner",
                condition=models.Q(owner__isnull=False),
            ),
            models.Index(  # ended_on, open_at, rebuild_outcomes; those that run are asked about too often to stand in it
                fields=["ended_at"], name="batch_by_end", condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(  # unresolved of those that ended on a day
                fields=["ended_at"],
                name="batch_unresolved_by_end",
                condition=models.Q(outcome__in=["failed", "partial"])
                & ~models.Q(triage_state__in=["corrected", "ignored"]),
            ),
            GistIndex(OPEN_FOR, name="batch_slow", condition=TOOK_LONG),  # open_at: those that took long
            models.Index(  # regroup_causes
                fields=["grouping"],
                name="batch_by_grouping",
                condition=models.Q(error_count__gt=0) | models.Q(failed_item_count__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("batch", args=[self.pk])

    @property
    def word(self) -> str:
        """What the page calls the batch: its outcome, or why there is none yet."""
        if self.checked_at:
            return str(Outcome(self.outcome).label)
        return str(Trouble(self.trouble).label) if self.trouble else gettext("Asking Amili")

    @property
    def submission(self) -> datetime:
        """What `submitted_at` will be: what the database generates is old while the batch is being written."""
        return self.created_at or self.first_seen_at

    @property
    def end(self) -> datetime | None:
        """What `ended_at` will be."""
        return self.finished_at or self.submission if self.is_finished else None

    @property
    def is_finished(self) -> bool:
        return self.outcome in FINISHED

    @property
    def has_failures(self) -> bool:
        """Whether it is finished and there is something for somebody to look into."""
        return self.outcome in {Outcome.FAILED, Outcome.PARTIAL}

    @property
    def is_settled(self) -> bool:
        """Whether all is said, but for one late check."""
        return self.is_finished and not self.trouble and self.asked_by == Source.CHECK

    @property
    def is_followed(self) -> bool:
        """Whether the page may still change by itself, at any moment."""
        return self.next_check_at is not None and not self.is_settled

    @property
    def is_due_soon(self) -> bool:
        """Whether the next question is too close for its time to be worth a look at the clock."""
        return self.next_check_at is not None and self.next_check_at <= timezone.now() + 2 * WATCHED

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for an answer that has not come yet."""
        return self.next_check_at is not None and self.asked_by != Source.CHECK

    @property
    def look_until(self) -> datetime | None:
        """Until when we look for a batch that Amili does not know."""
        return self.trouble_since + LOOK_FOR if self.trouble_since else None

    @property
    def doubt_sentences(self) -> list[str]:
        """Where the parts of the answer do not add up, for people."""
        return [str(Doubt(doubt).label) for doubt in self.doubts]

    @property
    def objects_known(self) -> int:
        """How many objects Amili has told an outcome of."""
        return self.succeeded_objects + self.failed_objects

    @property
    def took(self) -> timedelta | None:
        """From creation to finish, for a finished batch that has both times in order."""
        if not (self.is_finished and self.created_at and self.finished_at):
            return None
        return self.finished_at - self.created_at if self.finished_at >= self.created_at else None
