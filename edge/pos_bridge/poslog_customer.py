"""Who bought, as POSLog tells it: a name and a telephone number in pieces, put together before anybody looks at them."""

from __future__ import annotations

from edge.pos_bridge.branch import Branch
from edge.pos_bridge.guard import XmlNode

__all__ = ["customer_fields", "put_together"]

_NAMES = frozenset({"Name"})
_PHONES = frozenset({"TelephoneNumber", "Telephone"})
_CUSTOMERS = frozenset({"Customer", "Delivery", "LoyaltyAccount"})


def put_together(root: XmlNode) -> XmlNode:
    """`root` with each name and telephone number of a customer whole, in the text of its element.

    In pieces a number is none that a sanitiser would know, and none that headquarters could find anybody by.
    """
    customers = [node for node in _below(root) if _local(node) in _CUSTOMERS]
    for customer in customers:
        for node in _below(customer):
            if node["children"] and _local(node) in _NAMES | _PHONES:
                words = _phone(node) if _local(node) in _PHONES else _words(node)
                node["text"], node["children"] = words, []
    return root


def customer_fields(retail: Branch) -> dict[str, str] | None:
    """The customer of a `RetailTransaction`; the number of a loyalty account is a member number."""
    customer, account = retail.first("Customer"), retail.first("LoyaltyAccount")
    found: dict[str, str | None] = {}
    if customer is not None:
        found = {
            "name": customer.said("Name"),
            "phone": customer.said("TelephoneNumber") or customer.said("Telephone"),
            "email": customer.said("EMail", "EMailAddress"),
            "member_number": customer.said("CustomerID"),
        }
    if account is not None:
        told = account.said("LoyaltyAccountID") or account.said("CustomerID")
        found["member_number"] = told or found.get("member_number")
    return {name: told for name, told in found.items() if told} or None


def _below(node: XmlNode) -> list[XmlNode]:
    """Every element below `node`, outer ones first."""
    found: list[XmlNode] = []
    for child in node["children"]:
        found.append(child)
        found += _below(child)
    return found


def _local(node: XmlNode) -> str:
    return node["tag"].rpartition("}")[2]


def _words(node: XmlNode) -> str:
    return " ".join(part for part in (node["text"], *(_words(child) for child in node["children"])) if part)


def _phone(node: XmlNode) -> str:
    """Country, area and number, as it is dialled from abroad where the country is told by its calling code."""
    parts = {_local(child): child["text"] for child in node["children"]}
    country = parts.get("ITUCountryCode") or parts.get("CountryCode") or ""
    number = [parts.get("AreaCode"), parts.get("LocalNumber") or parts.get("TelephoneNumber")]
    prefix = [f"+{country}"] if country.isdecimal() else []
    return " ".join(part for part in (node["text"], *prefix, *number) if part)
