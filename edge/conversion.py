"""What follows from sums of windows, derived on reading and stored nowhere: net, average basket, units a sale, conversion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Conversion", "Trade", "WindowTraffic", "conversion", "trade"]

_TENDERS = ("card", "cash", "wechat_pay", "alipay", "unionpay_qr", "gift_card", "other")


@dataclass(frozen=True, slots=True)
class Trade:
    """The sums of one currency over some windows; what came back or was undone is taken off `units` and all money."""

    sales: int
    returns: int
    voids: int
    cancelled: int
    units: int
    total_minor: int
    tax_minor: int
    discount_minor: int
    returned_units: int
    returned_minor: int
    tenders_minor: Mapping[str, int]

    @property
    def transactions(self) -> int:
        """Sales that stand: those made, less those undone. Giving goods back is no transaction of this kind."""
        return self.sales - self.voids

    @property
    def net_minor(self) -> int:
        """What was taken, without tax."""
        return self.total_minor - self.tax_minor

    @property
    def average_basket_minor(self) -> int | None:
        """What went out at the till for each transaction, returns apart, in whole minor units; None without transactions."""
        if self.transactions <= 0:
            return None
        return _half_even(self.total_minor + self.returned_minor, self.transactions)

    @property
    def units_per_transaction(self) -> float | None:
        """Units that went out for each transaction, returns apart; None without transactions."""
        if self.transactions <= 0:
            return None
        return (self.units + self.returned_units) / self.transactions


def trade(figures: Mapping[str, int]) -> Trade:
    """The trade of one currency from its figures' sums, by the names that `edge.windows` keeps them under."""

    def of(name: str) -> int:
        return figures.get(name, 0)

    return Trade(
        sales=of("sales"),
        returns=of("returns"),
        voids=of("voids"),
        cancelled=of("cancelled"),
        units=of("units"),
        total_minor=of("total_minor"),
        tax_minor=of("tax_minor"),
        discount_minor=of("discount_minor"),
        returned_units=of("returned_units"),
        returned_minor=of("returned_minor"),
        tenders_minor={kind: amount for kind in _TENDERS if (amount := of(f"{kind}_minor"))},
    )


@dataclass(frozen=True, slots=True)
class WindowTraffic:
    """One window's visitors, None where nobody was counting, and its transactions."""

    start_s: int
    visitors: int | None
    transactions: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """Over the windows in which visitors were counted. `rate` may pass 1: then the camera misses people."""

    visitors: int
    transactions: int
    windows: int
    windows_left_out: int

    @property
    def rate(self) -> float | None:
        """Transactions for each visitor; None where nobody came."""
        return self.transactions / self.visitors if self.visitors > 0 else None


def conversion(windows: Iterable[WindowTraffic]) -> Conversion:
    """Transactions over visitors of the same windows.

    A window in which no camera counted is left out with its sales: they would make the rest look better than it was. Take
    windows long enough that who buys came in within the same one; the release window's quarter of an hour is.
    """
    visitors = transactions = counted = left_out = 0
    for window in windows:
        if window.visitors is None:
            left_out += 1
            continue
        counted += 1
        visitors += window.visitors
        transactions += window.transactions
    return Conversion(visitors, transactions, counted, left_out)


def _half_even(amount: int, parts: int) -> int:
    """`amount` / `parts` to the nearest integer, a half to the even one, without a float between."""
    whole, rest = divmod(amount, parts)
    return whole + (2 * rest > parts or (2 * rest == parts and whole % 2 == 1))
