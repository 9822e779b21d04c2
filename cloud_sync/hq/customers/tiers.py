"""Tiers: which kinds of identifier join first, and what a weaker kind may not join."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cloud_sync.hq.customers.groups import Groups
from edge.sealed.identifier import Identifier, IdentifierKind

__all__ = ["CROWD", "MAJORITY", "OWN", "TIERS", "Links", "Tier", "join", "outvoted"]

CROWD = 12
"""A phone or mailbox that would join more than so many, each with something of its own, is a till's filler."""

MAJORITY = 2
"""So many times as many records as somebody has make an identifier the others', where these are not two themselves."""

OWN = (IdentifierKind.MEMBER, IdentifierKind.WECHAT_UNIONID, IdentifierKind.ALIPAY)
"""Kinds of which a person has one: two different ones speak for two people. Not WeChat's openid: it is the app's."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Kinds that join at the same time, and the stronger kinds that may keep them from it."""

    kinds: frozenset[IdentifierKind]
    kept_apart_by: tuple[IdentifierKind, ...]
    crowd: int | None = None


_PAYING = frozenset({IdentifierKind.WECHAT_UNIONID, IdentifierKind.WECHAT_OPENID, IdentifierKind.ALIPAY})

TIERS = (
    Tier(frozenset({IdentifierKind.MEMBER}), ()),
    Tier(_PAYING, (IdentifierKind.MEMBER,)),  # somebody else may have paid
    Tier(frozenset({IdentifierKind.EMAIL}), OWN, CROWD),
    Tier(frozenset({IdentifierKind.PHONE}), OWN, CROWD),
)
"""The strongest first."""

Links = Mapping[Identifier, Collection[str]]
"""On which records an identifier stands."""


def join(groups: Groups, tier: Tier, *, links: Links, shared: Collection[Identifier]) -> set[Identifier]:
    """Unite what the tier's identifiers join; returns those that may not."""
    touched = _touched(groups, tier, links=links)
    cut = _crowded(touched, groups, tier, links=links)
    left = {identifier: names for identifier, names in touched.items() if identifier not in cut}
    for kind in tier.kept_apart_by:
        cut |= _torn(left, _owners(groups, kind, links=links, shared=shared))
    for identifier in touched.keys() - cut:
        groups.unite(touched[identifier])
    return cut


def outvoted(
    groups: Groups, tier: Tier, *, links: Links, shared: Collection[Identifier]
) -> set[tuple[Identifier, str]]:
    """Records of a group that differs from all the others with an identifier, who are more, and do not differ themselves."""
    touched = _touched(groups, tier, links=links)
    owners = {kind: _owners(groups, kind, links=links, shared=shared) for kind in tier.kept_apart_by}
    lost = set()
    for identifier in touched.keys() - _crowded(touched, groups, tier, links=links):
        votes = Counter(groups.of(record) for record in links[identifier])
        has = {name: {kind for kind, names in owners.items() if name in names} for name in votes}
        losers = _losers(votes, has)
        lost |= {(identifier, record) for record in links[identifier] if groups.of(record) in losers}
    return lost


def _losers(votes: Mapping[str, int], has: Mapping[str, set[IdentifierKind]]) -> set[str]:
    """Groups outvoted by those who have their own of a kind that they have, too."""
    owners = Counter(kind for kinds in has.values() for kind in kinds)
    losers = set()
    for name in votes:
        # With three owners of a kind the two others differ; so a clerk's WeChat under a thousand cards costs nothing here.
        if not has[name] or max(owners[kind] for kind in has[name]) != 2:
            continue
        against = [other for other in votes if other != name and has[other] & has[name]]
        differ = max(Counter(kind for one in against for kind in has[one]).values()) > 1
        if not differ and sum(votes[one] for one in against) >= MAJORITY * votes[name]:
            losers.add(name)
    return losers


def _owners(groups: Groups, kind: IdentifierKind, *, links: Links, shared: Collection[Identifier]) -> set[str]:
    """Groups with an identifier of the kind of their own: one that is shared is nobody's."""
    own = (on for identifier, on in links.items() if identifier.kind is kind and identifier not in shared)
    return {groups.of(record) for on in own for record in on}


def _touched(groups: Groups, tier: Tier, *, links: Links) -> dict[Identifier, set[str]]:
    """What the tier might join: the groups in which each of its identifiers stands, where there are several."""
    at_hand = ((identifier, on) for identifier, on in links.items() if identifier.kind in tier.kinds and len(on) > 1)
    touched = ((identifier, {groups.of(record) for record in on}) for identifier, on in at_hand)
    return {identifier: names for identifier, names in touched if len(names) > 1}


def _crowded(touched: Mapping[Identifier, set[str]], groups: Groups, tier: Tier, *, links: Links) -> set[Identifier]:
    """Identifiers in a crowd of groups that have any other. Who always gives the same phone alone is no crowd."""
    if tier.crowd is None:
        return set()
    many = {identifier for identifier, names in touched.items() if len(names) > tier.crowd}
    has: dict[str, set[Identifier]] = defaultdict(set)
    for identifier, on in links.items() if many else ():
        for record in on:
            has[groups.of(record)].add(identifier)
    return {one for one in many if sum(len(has[name]) > 1 for name in touched[one]) > tier.crowd}


def _torn(touched: Mapping[Identifier, set[str]], owners: set[str]) -> set[Identifier]:
    """Identifiers that would bring two owners together, directly or over groups that own nothing of the kind.

    Between two owners on any chain of identifiers lies either one identifier of both, or a region of groups that own nothing
    and that both touch. Both are cut, so no chain is left; what else those regions hold together stays together.
    """
    cut = {identifier for identifier, names in touched.items() if len(names & owners) > 1}
    regions: Groups = Groups({name for names in touched.values() for name in names})
    for identifier in touched.keys() - cut:
        regions.unite(touched[identifier] - owners)
    bordering: dict[str, set[str]] = defaultdict(set)
    for identifier in touched.keys() - cut:
        for name in touched[identifier] - owners:
            bordering[regions.of(name)] |= touched[identifier] & owners
    for identifier in touched.keys() - cut:
        names = touched[identifier]
        if names & owners and any(len(bordering[regions.of(name)]) > 1 for name in names - owners):
            cut.add(identifier)
    return cut
