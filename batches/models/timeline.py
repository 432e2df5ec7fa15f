"""What happened to each batch when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from batches.words import Outcome, Source


class TimelineEntry(models.Model):
    """Something that happened to a batch, as we saw it."""

    class Kind(models.TextChoices):
        FIRST_SEEN = "first_seen", _("First seen")
        CHANGED = "changed", _("Answer changed")
        TROUBLE = "trouble", _("Not answered")
        RECOVERED = "recovered", _("Answered again")
        GAVE_UP = "gave_up", _("Stopped looking")

    batch = models.ForeignKey("batches.Batch", models.CASCADE, related_name="timeline", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind)
    source = models.CharField(max_length=10, choices=Source)
    outcome = models.CharField(max_length=20, choices=Outcome, default="", blank=True)
    status = models.TextField(default="", blank=True)
    succeeded_objects = models.PositiveIntegerField(default=0)
    failed_objects = models.PositiveIntegerField(default=0)
    detail = models.TextField(default="", blank=True)
    request_id = models.TextField(default="", blank=True)  # Amili's
    answer = models.ForeignKey("batches.Answer", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["batch", "id"], name="timeline_of_batch")]
        constraints = [
            models.UniqueConstraint(
                fields=["batch"], condition=models.Q(kind="first_seen"), name="first_seen_once"
            )  # two people may paste the same new ID at once
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.kind}"
