"""One request as the pages see it: who asks, from where, and how the answer shall look."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from edge.consent.kiosk.look import Look
from edge.consent.kiosk.speech import Speech
from edge.consent.kiosk.stays import Stay
from edge.consent.subject import Subject

__all__ = ["Denied", "Visit"]


class Denied(Exception):
    """The request goes no further. `page` is a message id; the answer tells no more than that."""

    def __init__(self, page: Literal["stale_form", "no_such_page", "not_now"], *, status: int) -> None:
        super().__init__(page)
        self.page = page
        self.status = status


@dataclass(slots=True)
class Visit:
    """Where pages of this visit live (`base`), its key, and what is remembered of it.

    `sent_key` and `sent_look` are as the cookies said; what differs by the end goes back with the answer.
    """

    base: str
    channel: Literal["kiosk", "phone"]
    address: str
    at: datetime
    over_tls: bool
    look: Look
    sent_look: Look
    say: Speech
    key: str = field(repr=False)
    sent_key: str = field(repr=False)
    stay: Stay | None = None

    @property
    def subject(self) -> Subject | None:
        """Whose page this is, once that is known."""
        return self.stay.subject if self.stay else None

    def to(self, page: str = "") -> str:
        """The path of a page of this visit; without a name, the shopper's own."""
        return f"{self.base}/{page}" if page else self.base
