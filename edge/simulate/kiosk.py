"""A kiosk: mood buttons, and now and then a question or a worry in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from uuid import UUID

from edge.messages import Device, KioskFeedback
from edge.simulate.stream import Opening, Saying, arrivals

__all__ = ["kiosk_sayings"]

_MOODS, _MOOD_WEIGHTS = (1, 2, 3, 4, 5), (5, 8, 17, 35, 35)
_WORDS = (
    "Is my face stored?",
    "Who can see the pictures?",
    "How do I take my consent back?",
    "试衣间里有摄像头吗？",
    "我的数据会保存多久？",
    "The queue was long today.",
)
_WITH_WORDS, _WORDS_ONLY = 0.15, 0.05


def kiosk_sayings(
    opening: Opening, device: Device, *, until_s: float | None, per_minute: float = 8.0
) -> Iterator[Saying]:
    """The feedback left at one kiosk, in order of time, before `until_s`."""
    rng, next_id = opening.rng(device), opening.ids(device)
    for at_s in arrivals(rng, per_minute=per_minute, until_s=until_s):
        yield Saying(at_s, _feedback(rng, message_id=next_id(), at=opening.moment(at_s)))


def _feedback(rng: Random, *, message_id: UUID, at: datetime) -> KioskFeedback:
    chance, mood, words = rng.random(), rng.choices(_MOODS, _MOOD_WEIGHTS)[0], rng.choice(_WORDS)
    return KioskFeedback(
        message_id=message_id,
        captured_at=at,
        mood=None if chance < _WORDS_ONLY else mood,
        words=words if chance < _WITH_WORDS else None,
    )
