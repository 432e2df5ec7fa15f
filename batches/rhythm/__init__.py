"""What is usual for an organisation: how long its batches take, and when it sends."""

from batches.rhythm.lasting import learnt_from, mark_stuck, stuck, stuck_at, usually_within
from batches.rhythm.sending import (
    CONSIDERED,
    LEARNT_WITHIN,
    REGULAR,
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
    "LEARNT_WITHIN",
    "REGULAR",
    "Expected",
    "Habit",
    "Missing",
    "expected",
    "learnt_from",
    "mark_stuck",
    "missing",
    "missing_on",
    "senders",
    "stuck",
    "stuck_at",
    "usually_within",
]
