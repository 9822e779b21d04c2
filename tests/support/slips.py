"""The same sale as a till's JSON and as POSLog in the dialects that tills write, made up by chance."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from edge.pos_bridge.money import MINOR_DIGITS

ARTS = "http://www.nrf-arts.org/IXRetail/namespace/"
ARTS_6 = "http://www.nrf-arts.org/IXRetail/v6.0.0/poslog"
AT = "2026-03-02T10:15:00+01:00"
TENDERS = {
    "card": "CreditDebit",
    "cash": "Cash",
    "wechat_pay": "X:WeChatPay",
    "alipay": "X:Alipay",
    "unionpay_qr": "X:UnionPayQR",
    "gift_card": "GiftCard",
    "other": "Voucher",
}


@dataclass(frozen=True)
class Goods:
    """A line of a slip: its price before and what comes off."""

    sku: str
    quantity: int
    price_minor: int
    off_minor: int
    returned: bool


@dataclass(frozen=True)
class Slip:
    """What a cashier sees. `tax_minor` is on top of the prices or in them."""

    number: int
    kind: str
    currency: str
    goods: tuple[Goods, ...]
    off_minor: int
    tax_minor: int
    tax_on_top: bool
    paid: tuple[tuple[str, int], ...]
    training: bool = False

    @property
    def total_minor(self) -> int:
        """What is owed."""
        goods = sum((-1 if g.returned else 1) * (g.price_minor - g.off_minor) for g in self.goods)
        return goods - self.off_minor + (self.tax_minor if self.tax_on_top else 0)


@dataclass(frozen=True)
class Dialect:
    """How a till writes its POSLog."""

    namespace: str = ARTS
    discounts_in_price: bool = False
    returns_negative: bool = False
    refunds_positive: bool = False
    grand_total: bool = True
    change_minor: int = 0
    prefix: str = ""
    extras: dict[str, str] = field(default_factory=dict)


def as_json(slip: Slip, *, message_id: str, at: str = AT) -> bytes:
    """The slip in our own format."""
    body: dict[str, Any] = {
        "message_id": message_id,
        "captured_at": at,
        "kind": slip.kind,
        "currency": slip.currency,
        "lines": [
            {
                "sku": g.sku,
                "quantity": g.quantity,
                "total_minor": g.price_minor - g.off_minor,
                "discount_minor": g.off_minor,
                "returned": g.returned,
            }
            for g in slip.goods
        ],
        "total_minor": slip.total_minor,
        "discount_minor": slip.off_minor,
        "tax_minor": slip.tax_minor,
        "tax_included": not slip.tax_on_top,
        "tenders": [{"kind": kind, "amount_minor": amount} for kind, amount in slip.paid],
        "training": slip.training,
    }
    return json.dumps(body).encode()


def money(minor: int, currency: str) -> str:
    """As a till prints it."""
    return str(Decimal(minor).scaleb(-MINOR_DIGITS[currency]))


def as_poslog(slip: Slip, dialect: Dialect, *, at: str = AT) -> bytes:
    """The slip as a POSLog in a dialect."""
    p = f"{dialect.prefix}:" if dialect.prefix else ""
    declared = f"xmlns:{dialect.prefix}" if dialect.prefix else "xmlns"
    items = [_goods_xml(g, slip, dialect) for g in slip.goods]
    if slip.off_minor:
        items.append(f"<Discount><Amount>{money(slip.off_minor, slip.currency)}</Amount></Discount>")
    items += [_tender_xml(kind, amount, slip, dialect) for kind, amount in slip.paid]
    if slip.tax_minor:
        mark = "false" if slip.tax_on_top else "true"
        taxable = f'<TaxableAmount TaxIncludedInTaxableAmountFlag="{mark}">1</TaxableAmount>'
        items.append(f"<Tax>{taxable}<Amount>{money(slip.tax_minor, slip.currency)}</Amount></Tax>")
    lines = "".join(
        f"<LineItem><SequenceNumber>{number}</SequenceNumber>{item}</LineItem>" for number, item in enumerate(items, 1)
    )
    total = _signed_money(slip.total_minor, slip, dialect)
    grand = f'<Total TotalType="TransactionGrandAmount">{total}</Total>' if dialect.grand_total else ""
    status = ' TransactionStatus="PostVoided"' if slip.kind == "void" else ""
    training = ' TrainingModeFlag="true"' if slip.training else ""
    body = (
        f"<Transaction{training}><RetailStoreID>12</RetailStoreID><WorkstationID>3</WorkstationID>"
        f"<SequenceNumber>{slip.number}</SequenceNumber><BusinessDayDate>2026-03-02</BusinessDayDate>"
        f"<EndDateTime>{at}</EndDateTime><CurrencyCode>{slip.currency}</CurrencyCode>"
        f"<RetailTransaction{status}>{lines}{grand}</RetailTransaction></Transaction>"
    )
    if p:
        body = body.replace("</", "\x00").replace("<", f"<{p}").replace("\x00", f"</{p}")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}POSLog {declared}="{dialect.namespace}">{body}</{p}POSLog>'.encode()


def _goods_xml(goods: Goods, slip: Slip, dialect: Dialect) -> str:
    back = goods.returned or slip.kind == "return"
    turn = -1 if back and dialect.returns_negative else 1
    off = money(goods.off_minor, slip.currency)
    extended = goods.price_minor - (goods.off_minor if dialect.discounts_in_price else 0)
    modifier = f'<RetailPriceModifier><Amount Action="Subtract">{off}</Amount></RetailPriceModifier>'
    inside = (
        f"<POSIdentity><POSItemID>{escape(goods.sku)}</POSItemID></POSIdentity>"
        f"<ExtendedAmount>{money(turn * extended, slip.currency)}</ExtendedAmount>"
        f"<Quantity>{turn * goods.quantity}</Quantity>{modifier if goods.off_minor else ''}"
    )
    name = "Return" if back else "Sale"
    return f"<{name}>{inside}</{name}>"


def _tender_xml(kind: str, amount: int, slip: Slip, dialect: Dialect) -> str:
    """A refund is written as a payment of type Refund, as one below zero, or on a return as any other."""
    change = dialect.change_minor if kind == "cash" and amount > 0 and slip.kind == "sale" else 0
    given = f"<TenderChange><Amount>{money(change, slip.currency)}</Amount></TenderChange>" if change else ""
    if slip.kind == "return" and not dialect.refunds_positive:
        amount = -amount
    refund = ' TypeCode="Refund"' if amount < 0 and not dialect.returns_negative else ""
    written = money(abs(amount) if refund else amount + change, slip.currency)
    return f'<Tender TenderType="{TENDERS[kind]}"{refund}><Amount>{written}</Amount>{given}</Tender>'


def _signed_money(minor: int, slip: Slip, dialect: Dialect) -> str:
    return money(-minor if slip.kind == "return" and dialect.returns_negative else minor, slip.currency)


@st.composite
def goods_lines(draw: st.DrawFn, *, returned: st.SearchStrategy[bool]) -> Goods:
    """A line with a discount of at most its price."""
    price = draw(st.integers(1, 500_000))
    return Goods(
        sku=draw(st.sampled_from(["TEE-01", "Mantel & Schal", "裤子 170/88A", "4006381333931"])),
        quantity=draw(st.integers(1, 9)),
        price_minor=price,
        off_minor=draw(st.one_of(st.just(0), st.integers(0, price))),
        returned=draw(returned),
    )


@st.composite
def slips(draw: st.DrawFn, *, kinds: tuple[str, ...] = ("sale", "return", "void"), exchange: bool = True) -> Slip:
    """A slip whose sums agree, paid in one to three ways."""
    kind = draw(st.sampled_from(kinds))
    back = st.booleans() if exchange and kind == "sale" else st.just(False)
    goods = draw(st.lists(goods_lines(returned=back), min_size=1, max_size=6))
    if all(g.returned for g in goods):
        goods = [Goods(g.sku, g.quantity, g.price_minor, g.off_minor, False) for g in goods]
    worth = sum((-1 if g.returned else 1) * (g.price_minor - g.off_minor) for g in goods)
    off = draw(st.integers(0, max(0, worth // 3))) if worth > 0 else 0
    tax = draw(st.integers(0, max(0, worth // 5))) if worth > 0 else 0
    slip = Slip(
        number=draw(st.integers(1, 10**6)),
        kind=kind,
        currency=draw(st.sampled_from(["EUR", "CNY", "JPY", "KWD"])),
        goods=tuple(goods),
        off_minor=off,
        tax_minor=tax,
        tax_on_top=draw(st.booleans()),
        paid=(),
        training=False,
    )
    return replace(slip, paid=draw(_payments(slip.total_minor)))


@st.composite
def _payments(draw: st.DrawFn, total: int) -> tuple[tuple[str, int], ...]:
    ways = draw(st.lists(st.sampled_from(sorted(TENDERS)), min_size=1, max_size=3, unique=True))
    if total <= 0:
        return ((ways[0], total),) if total else ()
    ways = ways[:total]
    cuts = sorted(draw(st.lists(st.integers(1, total), min_size=len(ways) - 1, max_size=len(ways) - 1, unique=True)))
    edges = [0, *(cut for cut in cuts if cut < total), total]
    parts = [b - a for a, b in pairwise(edges)]
    return tuple(zip(ways, parts, strict=False))


dialects = st.builds(
    Dialect,
    namespace=st.sampled_from([ARTS, ARTS_6, ""]),
    discounts_in_price=st.booleans(),
    returns_negative=st.booleans(),
    refunds_positive=st.booleans(),
    grand_total=st.booleans(),
    change_minor=st.integers(0, 5000),
)
"""The ways to write the same slip that we have seen tills use."""
