"""A consent registry in a folder of its own, a clock that stands still until it is moved, and shoppers who answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.consent.choices import Choices, Given, Shown
from edge.consent.purposes import PurposeBook
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import Subject
from edge.consent.verify import Verified, verify_registry
from edge.privacy.keyring import Keyring

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BOOK = PurposeBook.load()
ASKED = tuple(purpose.id for purpose in BOOK.individual())
SEPARATE = frozenset(purpose.id for purpose in BOOK.individual() if purpose.separate)


@dataclass
class Clock:
    """Time as an argument."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


def choices(*granted: str, subject: Subject | None = None, purposes: PurposeBook = BOOK, **changes: Any) -> Choices:
    """An adult at the kiosk who says yes to `granted` and no to the rest."""
    fields: dict[str, Any] = {
        "subject": subject,
        "granted": frozenset(granted),
        "refused": frozenset(ASKED) - frozenset(granted),
        "separately": SEPARATE & frozenset(granted),
        "shown": Shown(versions={one: purposes.version(one) for one in ASKED}, language="en", channel="kiosk"),
        "age_band": "adult",
    }
    return Choices(**{**fields, **changes})


@dataclass
class Shop:
    """A registry and where it lies."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    purposes: PurposeBook = BOOK

    def __post_init__(self) -> None:
        self.keyring = Keyring.open(self.folder / "keyring.json")
        self.registry = self._open()

    @property
    def path(self) -> Path:
        return self.folder / "consent.db"

    def _open(self) -> ConsentRegistry:
        return ConsentRegistry(self.path, keyring=self.keyring, purposes=self.purposes, clock=self.clock)

    def reopen(self) -> None:
        """Close and open it, as a restart does."""
        self.registry.close()
        self.registry = self._open()

    def give(self, *granted: str, **changes: Any) -> Given:
        """Somebody answers."""
        return self.registry.give(choices(*granted, purposes=self.purposes, **changes))

    def verify(self, store_db: Path | None = None) -> Verified:
        """As `threshold consent verify`."""
        return verify_registry(self.path, keys=self.keyring.verify_keys(), store_db=store_db)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the file itself."""
        with self.tampering() as sql:
            return sql.execute(query, parameters).fetchall()

    @contextmanager
    def tampering(self) -> Iterator[sqlite3.Connection]:
        """A connection that may change anything, behind the registry's back."""
        sql = sqlite3.connect(self.path, isolation_level=None)
        try:
            yield sql
        finally:
            sql.close()

    def close(self) -> None:
        """Close it."""
        self.registry.close()
