"""Kiosk feedback to facts."""

from __future__ import annotations

from datetime import datetime

from edge.facts import MoodGiven
from edge.messages import KioskFeedback

__all__ = ["mood_of"]


def mood_of(feedback: KioskFeedback, *, kiosk: str, at: datetime) -> MoodGiven | None:
    """The anonymous fact in a feedback given at `at`; its words are not part of it, and are not kept."""
    if feedback.mood is None:
        return None
    return MoodGiven(occurred_at=at, kiosk=kiosk, level=feedback.mood)
