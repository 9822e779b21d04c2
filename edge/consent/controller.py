"""The controller: who answers for shoppers' data (PIPL Art. 17(1)(1), GDPR Art. 13(1)(a), ISO/IEC TS 27560:2023 6.3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from edge.settings import Settings

__all__ = ["Controller"]

_HERE = "at the counter of this shop / 本店服务台"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Who answers for shoppers' data, and where a shopper turns to.

    `jurisdictions`: ISO 3166-1 codes, or EU. `withdraw_url`: where a phone reaches the shoppers' pages, without the part of
    the address that is secret; None where the shop has no such address.
    """

    name: str
    address: str
    contact: str
    store: str
    jurisdictions: tuple[str, ...]
    authority: str | None = None
    withdraw_url: str | None = None
    named: bool = True
    """Whether the shop has said who; else pages send shoppers to the counter, each in its own language."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As `[consent.controller]` says; a shop that has named nobody answers for itself, at its counter."""
        named, store = settings.consent.controller, settings.store.name or settings.store.id
        return cls(
            name=named.name if named else store,
            address=named.address if named else _HERE,
            contact=named.contact if named else _HERE,
            store=store,
            jurisdictions=settings.consent.jurisdictions,
            authority=named.authority if named else None,
            withdraw_url=settings.kiosk.public_url,
            named=named is not None,
        )
