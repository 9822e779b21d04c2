"""ARTS POSLog (2.1 to 6.0, now the OMG's): one `Transaction` to the fields of a `PosTransaction`.

Understood are `RetailTransaction` with `Sale`, `Return`, `Void`, `Discount`, `Tax`, `Tender` and `TenderChange` items, price
modifiers, the flags for training, cancelling and voiding, and links to an earlier transaction. Elements of other
vocabularies are not, nor do they harm. `docs/tills.md` tells a till's maker the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID, uuid5

from edge.errors import MessageRejected
from edge.messages import TransactionKind
from edge.pos_bridge.branch import Branch
from edge.pos_bridge.guard import XmlNode
from edge.pos_bridge.poslog_customer import customer_fields
from edge.pos_bridge.poslog_slip import slip_of
from edge.pos_bridge.slip import reckon

__all__ = ["SESSION_TAG", "identity", "transaction_fields"]

SESSION_TAG = "{urn:threshold:poslog}Session"
"""Our own extension, a child of `Transaction`: the code of a shopper's consent session."""

_IDENTITIES = UUID("6f1f2ad5-7a51-5f0c-9d9d-2d1f1c7a0e44")
_VOID_ELEMENTS = ("PostVoid", "PostVoidTransaction", "TransactionVoid", "VoidTransaction")
_VOID_REASONS = frozenset({"Void", "Voided", "PostVoid", "PostVoided"})
_ABANDONED = frozenset({"Voided", "Cancelled", "Canceled", "Failed"})
_UNFINISHED = ("Suspended", "InProcess", "Totaled")
_TIMES = ("EndDateTime", "POSLogDateTime", "ReceiptDateTime", "BeginDateTime")


def identity(root: XmlNode, *, till: str) -> UUID:
    """The `message_id` of the one transaction in `root`: the same whenever `till` sends it again.

    A UUIDv5 (RFC 9562, 5.5) of the till, store, workstation, business day and sequence number, or where one of the last two is
    absent of the `TransactionID`. A void has another than what it undoes. To be taken before anything is cleaned out: a
    number that looks like a telephone's must not be taken for another one's.

    Raises:
        MessageRejected: `not-poslog`, `not-a-sale` or `no-identity`.
    """
    transaction = _transaction(root)
    number, day = transaction.said("SequenceNumber"), transaction.said("BusinessDayDate")
    own = None if number and day else transaction.said("TransactionID")
    if not (number and day) and own is None:
        raise MessageRejected("no-identity", "POSLog: neither SequenceNumber with BusinessDayDate nor TransactionID")
    store = transaction.said("RetailStoreID") or transaction.said("BusinessUnit", "UnitID")
    undoes = "void" if _kind(transaction, transaction.first("RetailTransaction")) == "void" else ""
    parts = (till, store, transaction.said("WorkstationID"), day, number, own, undoes)
    return uuid5(_IDENTITIES, "\n".join(part or "" for part in parts))


def transaction_fields(root: XmlNode, *, message_id: UUID, received_at: datetime, timezone: tzinfo) -> dict[str, Any]:
    """The fields of the one transaction in `root`, for `native.checked`.

    A time without an offset is the shop's, `timezone`; without any time it was made when it was received.

    Raises:
        MessageRejected: `not-poslog`, `not-a-sale` or `invalid`.
    """
    transaction = _transaction(root)
    retail = transaction.first("RetailTransaction")
    kind = _kind(transaction, retail)
    if retail is None and kind != "cancelled":
        told = (
            "a void without the lines it takes back" if kind == "void" else "a transaction that is no RetailTransaction"
        )
        raise MessageRejected("not-a-sale", f"POSLog: {told}")
    fields: dict[str, Any] = {"total_minor": 0, "currency": _currency(transaction, retail), "kind": kind}
    if retail is not None and kind != "cancelled":
        fields |= _money(retail.priced(fields["currency"]), kind)
    return fields | {
        "message_id": message_id,
        "captured_at": _moment(transaction, retail, timezone=timezone) or received_at,
        "training": transaction.flag("TrainingModeFlag"),
        "reference": _reference(retail),
        "session": next((child.text for child in transaction if child.node["tag"] == SESSION_TAG), None),
        "customer": None if retail is None else customer_fields(retail),
    }


def _transaction(root: XmlNode) -> Branch:
    log = Branch.root(root)
    if log.name != "POSLog":
        raise MessageRejected("not-poslog", "XML that is no POSLog")
    transactions = log.all("Transaction")
    if len(transactions) != 1:
        raise MessageRejected("not-poslog", f"POSLog with {len(transactions)} transactions; one a message is taken")
    return transactions[0]


def _kind(transaction: Branch, retail: Branch | None) -> TransactionKind:
    """What it is before its lines are looked at: a sale may turn out to be a return."""
    status = retail.attribute("TransactionStatus") if retail is not None else ""
    if transaction.flag("CancelFlag") or status in _ABANDONED:
        return "cancelled"
    if status.startswith(_UNFINISHED):
        raise MessageRejected("not-a-sale", "POSLog: a transaction that is not finished")
    named = transaction.all(*_VOID_ELEMENTS) or (retail.all(*_VOID_ELEMENTS) if retail is not None else [])
    links = retail.all("TransactionLink") if retail is not None else []
    undoes = any(link.attribute("ReasonCode") in _VOID_REASONS for link in links)
    return "void" if named or undoes or status == "PostVoided" else "sale"


def _money(retail: Branch, kind: TransactionKind) -> dict[str, Any]:
    slip, all_back = slip_of(retail)
    undoes_return = kind == "void" and all_back and bool(_items(retail, "Return"))
    if undoes_return:  # what was paid out comes in again, so the slip stays turned
        slip = replace(
            slip,
            lines=tuple(replace(line, returned=True) for line in slip.lines),
            discount_minor=-slip.discount_minor,
            tax_minor=-slip.tax_minor,
        )
    fields = reckon(slip)
    return fields | ({"kind": "return"} if all_back and kind == "sale" else {})


def _items(retail: Branch, name: str) -> list[Branch]:
    return [goods for item in retail.all("LineItem") for goods in item.all(name)]


def _currency(transaction: Branch, retail: Branch | None) -> str:
    """The transaction's own, or the first that an amount names."""
    told = transaction.said("CurrencyCode")
    if told is None and retail is not None:
        told = next(_currencies(retail), None)
    if told is None:
        raise MessageRejected("invalid", "POSLog: no currency")
    return told


def _currencies(branch: Branch) -> Iterator[str]:
    own = branch.attribute("Currency") or branch.attribute("CurrencyCode")
    if own and branch.name:
        yield own
    for child in branch:
        yield from _currencies(child)


def _moment(transaction: Branch, retail: Branch | None, *, timezone: tzinfo) -> datetime | None:
    """When it ended; where several times are told, the transaction's own."""
    branches = [transaction] if retail is None else [transaction, retail]
    for name in _TIMES:
        told = [one for branch in branches for one in branch.all(name) if one.text]
        if told:
            own = next((one for one in told if one.attribute("TypeCode") == "Transaction"), told[0])
            return _read_moment(own.text, timezone=timezone)
    return None


def _read_moment(told: str, *, timezone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        raise MessageRejected("invalid", "POSLog: a time that is no xs:dateTime") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone)


def _reference(retail: Branch | None) -> str | None:
    """The transaction that is linked to, by its id or else its workstation, day and number."""
    links = [] if retail is None else [*retail.all("TransactionLink")]
    links += [link for goods in (_items(retail, "Return") if retail else []) for link in goods.all("TransactionLink")]
    for link in links:
        parts = (link.said("WorkstationID"), link.said("BusinessDayDate"), link.said("SequenceNumber"))
        told = link.said("TransactionID") or "/".join(part for part in parts if part)
        if told:
            return told
    return None
