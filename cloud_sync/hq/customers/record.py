"""A record: what one till, app or counter was told of somebody, at one time."""

from __future__ import annotations

from dataclasses import dataclass

from edge.sealed.identifier import Identifier

__all__ = ["CustomerRecord"]


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """Identifiers that were told together, in their normal form. Records are never changed, joined or not."""

    id: str
    """Unique at HQ, such as the event's source and id; records sort by it."""
    identifiers: frozenset[Identifier]
