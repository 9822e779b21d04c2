"""What a mirror is told when the consent gate says no."""

from __future__ import annotations

from edge.messages import MirrorMeasurement, MirrorSilhouette, Recommendation

__all__ = ["refuse"]


def refuse(message: MirrorMeasurement | MirrorSilhouette, *, reason: str) -> Recommendation:
    """A refusal for `message`; nothing of the body has been looked at."""
    return Recommendation(message_id=message.message_id, refused=reason)
