"""What is usual for an organisation: how long its batches take, and when it sends."""

from batches.rhythm.lasting import limits_of, mark_stuck, stuck, usually_within
from batches.rhythm.sending import (
    CONSIDERED,
    Expected,
    Habit,
    Missing,
    expected,
    missing,
    missing_on,
    senders,
)

__all__ = [
    "CONSIDERED",
    "Expected",
    "Habit",
    "Missing",
    "expected",
    "limits_of",
    "mark_stuck",
    "missing",
    "missing_on",
    "senders",
    "stuck",
    "usually_within",
]
