"""Resolution: records to customers, computed anew from the records and the decisions that stand; nothing is ever merged.

Equal identifiers join, the strongest kind first, and whoever is joined to a third is joined to each other. A weaker kind
never joins two that each have their own of a stronger kind: a phone or mailbox that two members use is a family's or a
shop's, and joins nobody, unless it is mostly one's and the other used it once. A wrong join is undone by a decision
(`Disregarded`); the records are as they were.

What comes out depends on no order, and only on records that are connected at all: HQ may resolve again those alone.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cloud_sync.hq.customers.decisions import Decision, Disregarded, Joined
from cloud_sync.hq.customers.groups import Groups
from cloud_sync.hq.customers.record import CustomerRecord
from cloud_sync.hq.customers.tiers import TIERS, Links, join, outvoted
from edge.sealed.identifier import Identifier

__all__ = ["Customer", "Resolution", "resolve"]


@dataclass(frozen=True, slots=True)
class Customer:
    """Records that are one customer's. `id` is the least of them: it changes when an earlier one joins."""

    id: str
    records: frozenset[str]
    identifiers: frozenset[Identifier]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is one with whom, and why."""

    customers: Mapping[str, Customer]
    """By id."""
    customer_of: Mapping[str, str]
    """A record's customer."""
    shared: frozenset[Identifier]
    """What joined nobody, since it would have joined two."""
    outvoted: frozenset[tuple[Identifier, str]]
    """What a record says and nearly all others do not: it joins the others without that record."""
    links: Links = field(repr=False)
    """On which records each identifier stands; without what was disregarded or outvoted."""
    joined: frozenset[Joined] = field(repr=False)

    def why(self, left: str, right: str) -> tuple[Identifier | Joined, ...]:
        """A shortest chain of reasons that makes two records one customer's; empty where they are not, or are the same.

        Raises:
            KeyError: there is no such record.
        """
        if self.customer_of[left] != self.customer_of[right]:
            return ()
        ways = self._ways(self.customers[self.customer_of[left]])
        reached: dict[str, tuple[Identifier | Joined, ...]] = {left: ()}
        queue, tried = deque([left]), set[Identifier | Joined]()
        while right not in reached:
            at = queue.popleft()
            for reason in ways[at]:
                if reason not in tried:
                    tried.add(reason)
                    new = [to for to in self._joined_by(reason) if to not in reached]
                    reached.update((to, (*reached[at], reason)) for to in new)
                    queue.extend(new)
        return reached[right]

    def _ways(self, customer: Customer) -> Mapping[str, list[Identifier | Joined]]:
        """What joins each record of a customer to others, in an order that is always the same."""
        ways: dict[str, list[Identifier | Joined]] = defaultdict(list)
        for one in sorted(self.joined, key=lambda one: (one.left, one.right)):
            ways[one.left].append(one)
            ways[one.right].append(one)
        for identifier in sorted(customer.identifiers - self.shared):
            for record in self.links.get(identifier, ()):
                ways[record].append(identifier)
        return ways

    def _joined_by(self, reason: Identifier | Joined) -> list[str]:
        if isinstance(reason, Joined):
            return [reason.left, reason.right]
        return sorted(self.links[reason])


def resolve(records: Iterable[CustomerRecord], decisions: Iterable[Decision] = ()) -> Resolution:
    """Customers of `records`, under the `decisions` that stand. One that speaks of a record that is gone says nothing.

    Raises:
        ValueError: two different records have one id.
    """
    known = _by_id(records)
    decisions = frozenset(decisions)
    joined = frozenset(one for one in decisions if isinstance(one, Joined) and one.left in known and one.right in known)
    links = _links(known.values(), disregarded={one for one in decisions if isinstance(one, Disregarded)})
    groups = Groups(known)
    for one in joined:
        groups.unite((one.left, one.right))
    shared, lost = _join_all(groups, links)
    members = groups.members()
    return Resolution(
        customers={name: _customer(name, ids, known) for name, ids in members.items()},
        customer_of={one: name for name, ids in members.items() for one in ids},
        shared=shared,
        outvoted=lost,
        links=links,
        joined=joined,
    )


def _join_all(
    groups: Groups, links: dict[Identifier, set[str]]
) -> tuple[frozenset[Identifier], frozenset[tuple[Identifier, str]]]:
    """Tier after tier; takes what is outvoted out of `links`. Returns what is shared, and what was outvoted."""
    shared: set[Identifier] = set()
    lost: set[tuple[Identifier, str]] = set()
    for tier in TIERS:
        lost_now = outvoted(groups, tier, links=links, shared=shared)
        for identifier, record in lost_now:
            links[identifier].remove(record)
        lost |= lost_now
        shared |= join(groups, tier, links=links, shared=shared)
    return frozenset(shared), frozenset(lost)


def _by_id(records: Iterable[CustomerRecord]) -> dict[str, CustomerRecord]:
    known: dict[str, CustomerRecord] = {}
    for record in records:
        if known.setdefault(record.id, record) != record:
            raise ValueError("two different records have one id")
    return known


def _links(records: Iterable[CustomerRecord], *, disregarded: Iterable[Disregarded]) -> dict[Identifier, set[str]]:
    says_nothing = {(one.identifier, one.record) for one in disregarded}
    links: dict[Identifier, set[str]] = defaultdict(set)
    for record in records:
        for identifier in record.identifiers:
            if says_nothing.isdisjoint({(identifier, None), (identifier, record.id)}):
                links[identifier].add(record.id)
    return dict(links)


def _customer(name: str, ids: Collection[str], known: Mapping[str, CustomerRecord]) -> Customer:
    told = (identifier for one in ids for identifier in known[one].identifiers)
    return Customer(name, frozenset(ids), frozenset(told))
