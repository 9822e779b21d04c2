"""A till's day, quickly told: sales with lines, tax and tenders, some goods that come back, some practice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Literal
from uuid import UUID

from edge.messages import Device, PosTransaction, SaleLine, Tender
from edge.simulate.stream import Opening, Saying, arrivals

__all__ = ["till_sayings"]

_PRICES_MINOR = {
    "TSHIRT-BASIC": 9_900,
    "SHIRT-OXFORD": 24_900,
    "JEANS-SLIM": 39_900,
    "CHINO-TAPERED": 34_900,
    "DRESS-MIDI": 49_900,
    "COAT-WOOL": 129_900,
    "SOCKS-3PACK": 5_900,
    "BELT-LEATHER": 19_900,
    "SCARF-SILK": 29_900,
}
_TENDERS: tuple[Literal["card", "cash", "wechat_pay", "alipay", "unionpay_qr", "gift_card"], ...] = (
    "card",
    "cash",
    "wechat_pay",
    "alipay",
    "unionpay_qr",
    "gift_card",
)
_TENDER_WEIGHTS = (30, 10, 30, 20, 5, 5)
_TAX_PERCENT = 13  # contained in the price
_RETURNS, _VOIDS, _TRAINING = 0.08, 0.04, 0.03


def till_sayings(
    opening: Opening, device: Device, *, until_s: float | None, per_minute: float = 12.0, currency: str = "CNY"
) -> Iterator[Saying]:
    """The transactions of one till, in order of time, before `until_s`."""
    rng, next_id = opening.rng(device), opening.ids(device)
    for at_s in arrivals(rng, per_minute=per_minute, until_s=until_s):
        yield Saying(at_s, _transaction(rng, message_id=next_id(), at=opening.moment(at_s), currency=currency))


def _transaction(rng: Random, *, message_id: UUID, at: datetime, currency: str) -> PosTransaction:
    lines = tuple(_line(rng) for _ in range(rng.choices((1, 2, 3, 4, 5), (40, 30, 15, 10, 5))[0]))
    total_minor = sum(line.total_minor for line in lines)
    return PosTransaction(
        message_id=message_id,
        captured_at=at,
        kind=_kind(rng),
        currency=currency,
        lines=lines,
        total_minor=total_minor,
        tax_minor=total_minor * _TAX_PERCENT // (100 + _TAX_PERCENT),
        tenders=_tenders(rng, total_minor),
        training=rng.random() < _TRAINING,
    )


def _kind(rng: Random) -> Literal["sale", "return", "void"]:
    chance = rng.random()
    if chance < _RETURNS:
        return "return"
    return "void" if chance < _RETURNS + _VOIDS else "sale"


def _line(rng: Random) -> SaleLine:
    sku, price_minor = rng.choice(tuple(_PRICES_MINOR.items()))
    quantity = rng.choices((1, 2, 3), (80, 15, 5))[0]
    discount_percent = rng.choices((0, 10, 30), (70, 20, 10))[0]
    return SaleLine(sku=sku, quantity=quantity, total_minor=quantity * price_minor * (100 - discount_percent) // 100)


def _tenders(rng: Random, total_minor: int) -> tuple[Tender, ...]:
    """Mostly one tender; now and then the rest of a gift card and something else."""
    kind = rng.choices(_TENDERS, _TENDER_WEIGHTS)[0]
    if kind != "gift_card":
        return (Tender(kind=kind, amount_minor=total_minor),)
    card_minor = rng.randrange(1, total_minor + 1)
    gift = Tender(kind="gift_card", amount_minor=card_minor)
    if card_minor == total_minor:
        return (gift,)
    return (gift, Tender(kind="cash", amount_minor=total_minor - card_minor))
