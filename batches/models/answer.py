"""Amili's answers as they came."""

from __future__ import annotations

import zlib
from typing import Self

from django.db import models
from django.db.models.functions import Substr

from batches.models.batch import Batch
from batches.words import Source


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Reads of answers that may be many megabytes long."""

    def beginning(self, size: int) -> Self:
        """Fetch only as many compressed bytes as `size` bytes of the answer can need."""
        return self.defer("compressed").annotate(compressed_start=Substr("compressed", 1, size + 1024))


class Answer(models.Model):
    """An answer of Amili's as it came; each distinct one is kept once per batch."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="answers", db_index=False)
    digest = models.BinaryField()  # what `batches.amili.payload.identity` gives of the body
    received_at = models.DateTimeField()  # the last time that it came after another one
    first_received_at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source, default=Source.CHECK)
    request_id = models.TextField(default="", blank=True)  # Amili's, of the first time
    size = models.PositiveBigIntegerField()  # bytes
    problem = models.TextField(default="", blank=True)  # why it was not understood; empty if it was
    compressed = models.BinaryField()

    objects = AnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "digest"], name="answer_kept_once")]
        indexes = [models.Index(fields=["batch", "-received_at"], name="answer_newest_of_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.received_at:%Y-%m-%d %H:%M:%S}"

    @property
    def body(self) -> bytes:
        return zlib.decompress(self.compressed)

    def start(self, size: int) -> str:
        """The first `size` bytes as text, of an answer that was fetched with `beginning`."""
        compressed = bytes(self.compressed_start)  # type: ignore[attr-defined]
        return zlib.decompressobj().decompress(compressed, size).decode("utf-8", "replace").replace("\0", "\ufffd")
