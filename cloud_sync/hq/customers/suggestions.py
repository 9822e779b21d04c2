"""Suggestions: customers who may be one, for somebody to decide. Nothing here joins anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloud_sync.hq.customers.likeness import pairs_one_slip_apart
from cloud_sync.hq.customers.resolution import Customer, Resolution
from cloud_sync.hq.customers.tiers import CROWD, OWN
from edge.sealed.identifier import Identifier, IdentifierKind

__all__ = ["Likeness", "Suggestion", "suggest"]

_TYPED = (IdentifierKind.PHONE, IdentifierKind.EMAIL)
"""Kinds that people type. One digit in a running member number is the neighbour's."""


@dataclass(frozen=True, slots=True, order=True)
class Likeness:
    """Two identifiers one slip apart; or one and the same, which more than one customer uses."""

    left: Identifier
    right: Identifier


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two customers' ids, the lesser first, and what speaks for their being one."""

    left: str
    right: str
    because: tuple[Likeness, ...]


def suggest(resolution: Resolution) -> tuple[Suggestion, ...]:
    """Who may be one, those with most reasons first. Two with their own of one kind (two member numbers) are two."""
    reasons: dict[tuple[str, str], set[Likeness]] = defaultdict(set)
    for likeness in _likenesses(resolution):
        for left in _customers(resolution, likeness.left):
            for right in _customers(resolution, likeness.right) - {left}:
                reasons[min(left, right), max(left, right)].add(likeness)
    suggestions = (
        Suggestion(left, right, tuple(sorted(because)))
        for (left, right), because in reasons.items()
        if not _are_two(resolution, left, right)
    )
    return tuple(sorted(suggestions, key=lambda one: (-len(one.because), one.left, one.right)))


def _likenesses(resolution: Resolution) -> Iterator[Likeness]:
    for kind in _TYPED:
        values = (identifier.value for identifier in resolution.links if identifier.kind is kind)
        for left, right in pairs_one_slip_apart(values):
            yield Likeness(Identifier(kind, left), Identifier(kind, right))
    yield from (Likeness(identifier, identifier) for identifier in resolution.shared)


def _customers(resolution: Resolution, identifier: Identifier) -> set[str]:
    """Who uses it; nobody, where so many do that it says nothing."""
    found = {resolution.customer_of[record] for record in resolution.links[identifier]}
    return found if len(found) <= CROWD else set()


def _are_two(resolution: Resolution, left: str, right: str) -> bool:
    one, other = resolution.customers[left], resolution.customers[right]
    return any(mine and theirs and not mine & theirs for mine, theirs in _owned(one, other, shared=resolution.shared))


def _owned(one: Customer, other: Customer, *, shared: frozenset[Identifier]) -> Iterable[tuple[set[str], set[str]]]:
    for kind in OWN:
        yield _of_kind(one, kind, shared), _of_kind(other, kind, shared)


def _of_kind(customer: Customer, kind: IdentifierKind, shared: frozenset[Identifier]) -> set[str]:
    return {one.value for one in customer.identifiers if one.kind is kind and one not in shared}
