"""What was found in a text and where; and which of several that overlap is told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from edge.privacy.sanitise.brands import Brand

__all__ = ["CardNumber", "Find", "Forbidden", "Identity", "IdentityKind", "Rank", "Settled", "settle"]


class Forbidden(StrEnum):
    """Sensitive authentication data: not to be kept after authorisation, even encrypted (PCI DSS 4.0.1, 3.3.1)."""

    TRACK = "track"
    """Magnetic stripe, or its equivalent on the chip (3.3.1.1)."""
    CARD_CODE = "card_code"
    """CVC2, CVN2, CVV2, CID and their like (3.3.1.2)."""
    PIN = "pin"
    """PIN or PIN block (3.3.1.3)."""


class IdentityKind(StrEnum):
    """What can tell a person. Where `edge.sealed.identifier` has the kind too it has the same name there."""

    PHONE = "phone"
    EMAIL = "email"
    MEMBER = "member"
    WECHAT_OPENID = "wechat_openid"
    WECHAT_UNIONID = "wechat_unionid"
    WECHAT_ID = "wechat_id"
    """The name that people give themselves there, or `wxid_` and more."""
    ALIPAY = "alipay"
    RESIDENT_ID = "resident_id"
    """GB 11643, 18 characters."""
    NATIONAL_ID = "national_id"
    """Any other state's number or paper; told by its field's name alone."""
    IBAN = "iban"
    NAME = "name"
    PERSONAL = "personal"
    """Address, birthday and whatever else stands in a customer's own record."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, in the one form that two of them are compared in. Its `repr` shows the kind alone."""

    kind: IdentityKind
    value: str = field(repr=False)
    """Empty where what was written has no such form; it was taken out nevertheless."""


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number in plain digits that passes Luhn; `brand` is None where no brand's numbers look so."""

    number: str = field(repr=False)
    brand: Brand | None


class Rank(IntEnum):
    """Of finds that overlap the first is told; all of them are taken out."""

    TRACK = 0
    CODE = 1
    CHECKED = 2
    """Alone, with a check digit or a grammar of its own."""
    CARD = 3
    """A brand's number with no further digit beside it."""
    PHONE = 4
    NUMBER = 5
    CARD_WITHIN = 6
    """What would be a brand's amid further digits: likely enough by chance, and never left standing."""


@dataclass(frozen=True, slots=True)
class Find:
    """`what` stands in the text from `start` up to `end`."""

    start: int
    end: int
    rank: Rank
    what: CardNumber | Identity | Forbidden


@dataclass(frozen=True, slots=True)
class Settled:
    """A stretch of text that goes, and what is told of it, in order."""

    start: int
    end: int
    told: tuple[Find, ...]


def settle(finds: Iterable[Find]) -> Iterator[Settled]:
    """Stretches that do not touch each other and cover every find."""
    cluster: list[Find] = []
    end = -1
    for find in sorted(finds, key=lambda find: find.start):
        if cluster and find.start >= end:
            yield _settled(cluster, end)
            cluster = []
        cluster.append(find)
        end = find.end if len(cluster) == 1 else max(end, find.end)
    if cluster:
        yield _settled(cluster, end)


def _settled(cluster: list[Find], end: int) -> Settled:
    if len(cluster) == 1:
        return Settled(cluster[0].start, end, (cluster[0],))
    told: list[Find] = []
    starts: list[int] = []
    for find in sorted(cluster, key=lambda find: (find.rank, find.start, -find.end)):
        at = bisect_left(starts, find.start)
        clear_before = at == 0 or told[at - 1].end <= find.start
        if clear_before and (at == len(told) or find.end <= starts[at]):
            told.insert(at, find)
            starts.insert(at, find.start)
    return Settled(cluster[0].start, end, tuple(told))
