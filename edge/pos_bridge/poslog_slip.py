"""POSLog line items to a slip: what was sold, what came back, what was taken off, what was paid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from edge.errors import MessageRejected
from edge.messages import TenderKind
from edge.pos_bridge.branch import Branch
from edge.pos_bridge.slip import Slip, SlipLine, SlipTender

__all__ = ["slip_of"]

_UNDONE = ("VoidFlag", "CancelFlag", "DeleteFlag")
_BACK = frozenset({"Return", "Refund"})
_PIECES = frozenset({"", "EA", "EACH", "PCE", "C62", "H87"})
_MAX_QUANTITY = 100_000
_TENDERS: dict[str, TenderKind] = {
    "cash": "cash",
    "creditdebit": "card",
    "credit": "card",
    "debit": "card",
    "creditcard": "card",
    "debitcard": "card",
    "card": "card",
    "giftcard": "gift_card",
    "giftcertificate": "gift_card",
    "storedvalue": "gift_card",
    "wechat": "wechat_pay",
    "wechatpay": "wechat_pay",
    "weixin": "wechat_pay",
    "alipay": "alipay",
    "unionpayqr": "unionpay_qr",
    "unionpay": "unionpay_qr",
    "quickpass": "unionpay_qr",
}
_ROUNDING = "rounding"
_NOT_LETTERS = re.compile(r"[^a-z]")


def slip_of(retail: Branch) -> tuple[Slip, bool]:
    """The slip in a `RetailTransaction`, and whether all of its goods came back: then it is turned the right way up.

    Raises:
        MessageRejected: `invalid`; an amount or a quantity cannot be read.
    """
    items = list(_standing(retail))
    lines = tuple(_lines(items))
    all_back = bool(lines) and all(line.returned for line in lines)
    tenders, rounding_minor = _tenders(items)
    tax_minor, on_top_first = _tax(items, lines)
    slip = Slip(
        lines=lines,
        discount_minor=sum(_taken_off(item) for item in items),
        tax_minor=tax_minor,
        tax_on_top_first=on_top_first,
        tenders=tenders,
        rounding_minor=rounding_minor,
        grand_minor=_grand(retail),
    )
    return (_upright(slip) if all_back else slip), all_back


def _standing(retail: Branch) -> Iterator[Branch]:
    """The line items that count: none that is marked void, and none that a `Void` item names."""
    items = retail.all("LineItem")
    voided = {
        link.text for item in items for void in item.all("Void") for link in void.all("ItemLink", "SequenceNumber")
    }
    for item in items:
        if not item.flag(*_UNDONE) and item.said("SequenceNumber") not in voided:
            yield item


def _lines(items: list[Branch]) -> Iterator[SlipLine]:
    for item in items:
        for goods in item.all("Sale", "Return"):
            yield _line(goods)


def _line(goods: Branch) -> SlipLine:
    """A line without a sign. Goods sold in a negative quantity came back, as some tills write a return."""
    extended = goods.minor("ExtendedAmount")
    if extended is None:
        raise MessageRejected("invalid", "POSLog: an article without ExtendedAmount")
    quantity, below_zero = _quantity(goods)
    returned = goods.name == "Return" or (below_zero and extended <= 0)
    modifiers = sum(_modifier(one) for one in goods.all("RetailPriceModifier") if not one.flag("VoidFlag"))
    if not modifiers:
        modifiers = goods.minor("ExtendedDiscountAmount") or 0
    tax = [amount for one in goods.all("Tax") if (amount := one.minor("Amount")) is not None]
    return SlipLine(
        sku=goods.said("POSIdentity", "POSItemID") or goods.said("ItemID") or "(none)",
        quantity=quantity,
        extended_minor=abs(extended) if returned else extended,
        modifiers_minor=abs(modifiers) if returned else modifiers,
        tax_minor=(abs(sum(tax)) if returned else sum(tax)) if tax else None,
        returned=returned,
    )


def _modifier(one: Branch) -> int:
    """What a price modifier takes off; below zero what it adds."""
    amount = one.first("Amount")
    taken = one.minor("Amount") or 0
    return -taken if amount is not None and amount.attribute("Action") == "Add" else taken


def _taken_off(item: Branch) -> int:
    """What a discount of the whole slip takes off."""
    return sum(_modifier(one) for one in item.all("Discount") if not one.flag("VoidFlag"))


def _quantity(goods: Branch) -> tuple[int, bool]:
    """Pieces, and whether they stand below zero; what is sold by weight or length is one piece."""
    below_zero = False
    for one in goods.all("Quantity"):
        try:
            number = Decimal(one.text or "1")
        except InvalidOperation:
            raise MessageRejected("invalid", "POSLog: a quantity that is no number") from None
        if not number.is_finite() or abs(number) > _MAX_QUANTITY:
            raise MessageRejected("invalid", "POSLog: a quantity that is no number")
        below_zero |= number < 0
        if one.attribute("UnitOfMeasureCode").upper() in _PIECES and number and number == number.to_integral_value():
            return abs(int(number)), below_zero
    return 1, below_zero


def _tax(items: list[Branch], lines: tuple[SlipLine, ...]) -> tuple[int, bool]:
    """The slip's tax, and whether it is likelier on top of the prices than in them.

    Tax items of the slip are its tax; without any, the lines' is.
    """
    taxes = [tax for item in items for tax in item.all("Tax")]
    of_goods = [tax for item in items for goods in item.all("Sale", "Return") for tax in goods.all("Tax")]
    marks = [tax.first("TaxableAmount") for tax in (*taxes, *of_goods)]
    in_price = any(mark is not None and mark.flag("TaxIncludedInTaxableAmountFlag") for mark in marks)
    if not taxes:
        signed = sum((-1 if line.returned else 1) * (line.tax_minor or 0) for line in lines)
        return signed, not in_price
    return sum(_signed(tax, tax.minor("Amount") or 0) for tax in taxes), not in_price


def _signed(one: Branch, amount_minor: int) -> int:
    return -abs(amount_minor) if one.attribute("TypeCode") in _BACK else amount_minor


def _tenders(items: list[Branch]) -> tuple[tuple[SlipTender, ...], int]:
    """What was paid, change taken off; and by how much cash was rounded, which some tills write as a tender."""
    found: list[SlipTender] = []
    rounding = 0
    for item in items:
        for one in item.all("Tender"):
            amount = _signed(one, one.minor("Amount") or 0)
            word = _word(one)
            if word == _ROUNDING:
                rounding += amount
                continue
            change = sum(given.minor("Amount") or 0 for given in one.all("TenderChange"))
            kind = _TENDERS.get(word, "card" if one.first("CreditDebit") is not None else "other")
            reference = one.said("Authorization", "AuthorizationCode") or one.said("Authorization", "ReferenceNumber")
            found.append(SlipTender(kind, amount - change, reference))
            found.append(SlipTender("cash", -(one.minor("Cashback") or 0), None))
        for given in item.all("TenderChange"):
            found.append(SlipTender(_TENDERS.get(_word(given), "cash"), -(given.minor("Amount") or 0), None))
    return tuple(tender for tender in found if tender.amount_minor), rounding


def _word(tender: Branch) -> str:
    """`TenderType` without its extension's prefix: `X:WeChat_Pay` is `wechatpay`."""
    return _NOT_LETTERS.sub("", tender.attribute("TenderType").rpartition(":")[2].lower())


def _grand(retail: Branch) -> int | None:
    """The total that the slip states; other kinds of total are meant too differently to be held to."""
    for total in retail.all("Total"):
        if total.attribute("TotalType") == "TransactionGrandAmount":
            return total.minor()
    return None


def _upright(slip: Slip) -> Slip:
    """A slip of nothing but returns as the slip of what is given back: positive throughout."""
    paid_out = slip.paid_minor < 0
    return replace(
        slip,
        lines=tuple(replace(line, returned=False) for line in slip.lines),
        discount_minor=abs(slip.discount_minor),
        tax_minor=abs(slip.tax_minor),
        tenders=tuple(replace(t, amount_minor=-t.amount_minor) for t in slip.tenders) if paid_out else slip.tenders,
        grand_minor=None if slip.grand_minor is None else abs(slip.grand_minor),
    )
