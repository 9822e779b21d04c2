"""The consent gate: one call, one answer with a reason. It fails closed: what is not known to be allowed is refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from edge.clock import epoch_s
from edge.errors import ThresholdError
from edge.settings import Settings, ZoneSettings

__all__ = ["Answer", "ConsentGate", "ConsentSource", "LiveSession", "Standing", "WrongCodes"]

log = structlog.get_logger(__name__)

_BOUND_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """`allowed`, and a reason fit for a log or a device's screen; `subject` is whom it is about, if known."""

    allowed: bool
    reason: str
    subject: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """Whom a session code stands for, for what, and until when (seconds since 1970)."""

    subject: bytes
    purposes: frozenset[str]
    expires_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject last said about a purpose: `granted`, `refused`, `withdrawn`, `expired` or `erased`.

    `notice` is the version of the words that were shown.
    """

    state: str
    notice: str
    expires_s: int | None


class ConsentSource(Protocol):
    """The registry as the gate reads it. Any thread may ask; what was committed a moment ago is seen."""

    def session(self, code: str, *, at: datetime) -> LiveSession | None:
        """The live session of a code, or None for a wrong, ended or old one."""

    def standing(self, subject: bytes, purpose: str) -> Standing | None:
        """What `subject` last said about `purpose`."""


class WrongCodes(Protocol):
    """Counts wrong codes by device, so that nobody can try them all."""

    def blocked(self, key: str, *, at: datetime) -> bool:
        """Whether `key` must wait."""

    def failed(self, key: str, *, at: datetime) -> None:
        """Note a wrong code."""


class ConsentGate:
    """Says whether a purpose may be served now, in a zone, for a session or for a subject.

    Footfall needs no individual consent, but a notice on the door: a camera zone runs only while staff's attestation that
    its sign hangs is fresh (PIPL Art. 26; GDPR Art. 13). Everything about one person needs that person's own word.
    """

    def __init__(
        self,
        zones: Iterable[ZoneSettings],
        *,
        attestation_valid_days: int,
        timezone: str,
        registry: ConsentSource | None = None,
        notice_of: Callable[[str], str | None] = lambda _: None,
        wrong_codes: WrongCodes | None = None,
        doubt: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`notice_of` gives a purpose's present notice version; `doubt` says why the registry must not be believed, if so."""
        self._zones = {zone.id: zone for zone in zones}
        self._valid_for = timedelta(days=attestation_valid_days)
        self._timezone = ZoneInfo(timezone)
        self._registry = registry
        self._notice_of = notice_of
        self._wrong_codes = wrong_codes
        self._doubt = doubt
        self._bound: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        registry: ConsentSource | None = None,
        notice_of: Callable[[str], str | None] = lambda _: None,
        wrong_codes: WrongCodes | None = None,
        doubt: Callable[[], str | None] = lambda: None,
    ) -> ConsentGate:
        """The gate for a store's settings."""
        return cls(
            settings.zones,
            attestation_valid_days=settings.privacy.attestation_valid_days,
            timezone=settings.store.timezone,
            registry=registry,
            notice_of=notice_of,
            wrong_codes=wrong_codes,
            doubt=doubt,
        )

    def ask(
        self,
        purpose: str,
        *,
        at: datetime,
        zone: str | None = None,
        session: str | None = None,
        device: str | None = None,
        subject: bytes | None = None,
    ) -> Answer:
        """May `purpose` be served at `at`: in `zone`, for the `session` shown at `device`, or for `subject`?"""
        if purpose == "footfall":
            return self._notice(zone, at=at)
        if self._registry is None:
            return Answer(False, "this store has no consent registry")
        doubt = self._doubt()
        if doubt is not None:
            return Answer(False, doubt)
        try:
            return self._of_person(self._registry, purpose, session, device=device or "", subject=subject, at=at)
        except (sqlite3.Error, ThresholdError) as error:
            log.error("consent.unreadable", error=type(error).__name__)
            return Answer(False, "the consent registry cannot be read")

    def _of_person(
        self,
        registry: ConsentSource,
        purpose: str,
        session: str | None,
        *,
        device: str,
        subject: bytes | None,
        at: datetime,
    ) -> Answer:
        if session is not None:
            return self._of_session(registry, purpose, session, device=device, at=at)
        if subject is not None:
            return self._of_subject(registry, purpose, subject, at=at)
        return Answer(False, "no consent session given")

    def _of_session(self, registry: ConsentSource, purpose: str, code: str, *, device: str, at: datetime) -> Answer:
        if self._wrong_codes is not None and self._wrong_codes.blocked(device, at=at):
            return Answer(False, "too many wrong session codes; wait a minute")
        live = registry.session(code, at=at)
        if live is None and self._bound.get(code, ("", 0))[0] == device:
            return Answer(False, "the consent session has ended")  # once right here: nobody is guessing
        if live is None or not self._is_first_device(code, device, live, at=at):
            if self._wrong_codes is not None:
                self._wrong_codes.failed(device, at=at)
            return Answer(False, "no live consent session")
        if purpose not in live.purposes:
            return Answer(False, "not agreed to in this session", live.subject)
        return self._of_subject(registry, purpose, live.subject, at=at)

    def _is_first_device(self, code: str, device: str, live: LiveSession, *, at: datetime) -> bool:
        """A session belongs to the first device that shows its code."""
        now_s = epoch_s(at)
        with self._lock:
            if len(self._bound) >= _BOUND_AT_MOST:
                self._bound = {known: held for known, held in self._bound.items() if held[1] > now_s}
            holder, until_s = self._bound.get(code, ("", 0))
            if until_s == live.expires_s and holder != device:
                return False
            self._bound[code] = (device, live.expires_s)
        return True

    def _of_subject(self, registry: ConsentSource, purpose: str, subject: bytes, *, at: datetime) -> Answer:
        standing = registry.standing(subject, purpose)
        if standing is None or standing.state == "refused":
            return Answer(False, "not agreed to", subject)
        if standing.state != "granted":
            return Answer(False, standing.state, subject)
        if standing.expires_s is not None and standing.expires_s <= epoch_s(at):
            return Answer(False, "expired", subject)
        if standing.notice != self._notice_of(purpose):
            return Answer(False, "the notice has changed since; it must be asked again", subject)
        return Answer(True, "agreed to", subject)

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
