"""The lists of a batch, as Amili last gave them: one table each."""

from django.contrib.postgres.indexes import HashIndex
from django.db import models

from batches.models.batch import Batch


class Row(models.Model):
    """One row of a list in Amili's answer; `position` is its place there, from zero."""

    position = models.PositiveIntegerField()
    extra = models.TextField(default="", blank=True)  # JSON of what has no column

    class Meta:
        abstract = True


class ErrorRow(Row):
    """What is wrong with an object. `rank` orders the rows by object index, those without one last."""

    pk = models.CompositePrimaryKey("batch_id", "rank")  # pages of rows
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="errors", db_index=False)
    rank = models.PositiveIntegerField()
    object_name = models.TextField(default="", blank=True)
    object_index = models.BigIntegerField(null=True)
    message = models.TextField(default="", blank=True)
    invoice_number = models.TextField(default="", blank=True)  # where a failed item names one
    cause = (
        models.ForeignKey(  # empty: recorded before there were causes. No constraint, which would cost each row a look.
            "batches.Cause", models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
        )
    )

    class Meta:
        indexes = [
            models.Index(fields=["batch", "object_index"], name="error_by_index"),  # filter by index or range
            models.Index(fields=["batch", "cause", "rank"], name="error_by_cause"),  # filter by cause
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.rank}"


class LedgerResponse(Row):
    """What the ledger said of an object (first generation of the answer)."""

    pk = models.CompositePrimaryKey("batch_id", "position")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="responses", db_index=False)
    object_name = models.TextField(default="", blank=True)
    object_index = models.BigIntegerField(null=True)
    ledger_reference = models.TextField(default="", blank=True)
    status_statuscode = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"{self.batch_id} {self.position}"


class SucceededItem(Row):
    """An object that went through; of an invoice its number, id and case."""

    pk = models.CompositePrimaryKey("batch_id", "position")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="succeeded", db_index=False)
    kind = models.TextField(default="", blank=True)  # Amili's $type
    invoice_number = models.TextField(default="", blank=True)
    invoice_id = models.TextField(default="", blank=True)
    case_id = models.TextField(default="", blank=True)

    class Meta:
        # The case page. A hash takes ids of any length, where a b-tree would refuse the row.
        indexes = [HashIndex(fields=["case_id"], name="succeeded_by_case")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.position}"


class FailedItem(Row):
    """An entry of `failed`, whose shape is documented nowhere: its JSON stands in `extra`."""

    pk = models.CompositePrimaryKey("batch_id", "position")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="failed", db_index=False)

    def __str__(self) -> str:
        return f"{self.batch_id} {self.position}"
