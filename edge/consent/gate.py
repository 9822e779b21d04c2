"""The consent gate: one call, one answer with a reason. It fails closed: what is not known to be allowed is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from edge.settings import Settings, ZoneSettings

__all__ = ["Answer", "ConsentGate", "Purpose"]

Purpose = Literal["footfall", "size_recommendation"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`allowed`, and a reason fit for a log or a device's screen."""

    allowed: bool
    reason: str


class ConsentGate:
    """Says whether a purpose may be served now, in a zone or for a session.

    Footfall needs no individual consent, but a notice on the door: a camera zone runs only while staff's attestation that
    its sign hangs is fresh (PIPL Art. 26; GDPR Art. 13). Everything about one person needs a live consent session.
    """

    def __init__(self, zones: Iterable[ZoneSettings], *, attestation_valid_days: int, timezone: str) -> None:
        self._zones = {zone.id: zone for zone in zones}
        self._valid_for = timedelta(days=attestation_valid_days)
        self._timezone = ZoneInfo(timezone)

    @classmethod
    def of(cls, settings: Settings) -> ConsentGate:
        """The gate for a store's settings."""
        return cls(
            settings.zones,
            attestation_valid_days=settings.privacy.attestation_valid_days,
            timezone=settings.store.timezone,
        )

    def ask(self, purpose: Purpose, *, at: datetime, zone: str | None = None, session: str | None = None) -> Answer:
        """May `purpose` be served at `at`, in `zone` or for `session`?"""
        match purpose:
            case "footfall":
                return self._notice(zone, at=at)
            case "size_recommendation":
                # Sessions are issued by the consent registry; until a store has one, nobody can have said yes.
                return Answer(False, "no live consent session" if session else "no consent session given")

    def _notice(self, zone_id: str | None, *, at: datetime) -> Answer:
        zone = self._zones.get(zone_id or "")
        if zone is None:
            return Answer(False, "unknown zone")
        attested = zone.notice_attested_on
        if attested is None:
            return Answer(False, f"nobody has attested that the sign for zone '{zone.id}' hangs")
        today = at.astimezone(self._timezone).date()
        if attested > today:
            return Answer(False, f"the notice of zone '{zone.id}' is attested for a later day")
        if today - attested > self._valid_for:
            return Answer(False, f"the attestation for zone '{zone.id}' is older than {self._valid_for.days} days")
        return Answer(True, "notice attested")
