"""Who is on it: the state, the owner and the history that a failed batch and a cause have alike."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from batches.words import RESOLVED, WAITING, TriageState


class Triaged(models.Model):
    """Something that somebody has to look into. Written by batches.triage, and by nobody who records facts."""

    triage_state = models.CharField(max_length=20, choices=TriageState, default=TriageState.NEW)
    triaged_at = models.DateTimeField(null=True)  # when the state last changed
    triage_revision = models.PositiveIntegerField(default=0)  # goes up with every change that a person makes
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        abstract = True

    @property
    def is_resolved(self) -> bool:
        """Whether nothing is left to do."""
        return self.triage_state in RESOLVED

    @property
    def is_waiting(self) -> bool:
        """Whether it is somebody else's turn."""
        return self.triage_state in WAITING


class TriageEntry(models.Model):
    """Something that was done about a batch or a cause, and by whom; never changed afterwards."""

    class Kind(models.TextChoices):
        MOVED = "moved", _("State or owner")
        CORRECTS = "corrects", _("Corrects another batch")
        NOTE = "note", _("Note")
        ADVICE = "advice", _("Advice")
        CAME_BACK = "came_back", _("Came back")
        REGROUPED = "regrouped", _("Grouped anew")

    batch = models.ForeignKey("batches.Batch", models.CASCADE, null=True, related_name="triage_history", db_index=False)
    cause = models.ForeignKey("batches.Cause", models.CASCADE, null=True, related_name="triage_history", db_index=False)
    at = models.DateTimeField()
    person = models.ForeignKey(  # nobody: it happened by itself
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=20, choices=TriageState, default="", blank=True)  # the new one, if it changed
    is_owner_new = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    other_batch = models.ForeignKey(  # it corrects this one or is corrected by it, or a cause came back in it
        "batches.Batch", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    text = models.TextField(default="", blank=True)  # Markdown of a note, an advice as it was written

    class Meta:
        indexes = [  # the history of the one and of the other
            models.Index(fields=["batch", "id"], name="triage_of_batch", condition=models.Q(batch__isnull=False)),
            models.Index(fields=["cause", "id"], name="triage_of_cause", condition=models.Q(cause__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(batch__isnull=True) ^ models.Q(cause__isnull=True), name="triage_of_one_thing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id or self.cause_id} {self.kind}"
