"""A POSLog element by its local names: children in the document's own namespace, money and flags as POSLog writes them."""

from __future__ import annotations

from collections.abc import Iterator

from edge.errors import MessageRejected
from edge.pos_bridge.guard import XmlNode
from edge.pos_bridge.money import minor_units

__all__ = ["Branch"]

_TRUE = frozenset({"true", "1"})


class Branch:
    """An element of a document whose vocabulary is `namespace`, as `{…}` or empty; what is in another has no name here.

    `currency` is the transaction's: an amount in any other is refused. Children are looked up by name, once each.
    """

    __slots__ = ("_by_name", "_children", "currency", "name", "namespace", "node")

    def __init__(self, node: XmlNode, namespace: str, *, currency: str = "") -> None:
        tag = node["tag"]
        self.node = node
        self.namespace = namespace
        self.currency = currency
        local = tag[len(namespace) :] if tag.startswith(namespace) else ""
        self.name = "" if "}" in local else local
        """The local name; empty for an element of another vocabulary."""
        self._children: list[Branch] | None = None
        self._by_name: dict[str, list[Branch]] = {}

    @classmethod
    def root(cls, node: XmlNode) -> Branch:
        """The document's root, whose namespace is the document's."""
        namespace = node["tag"].rpartition("}")[0]
        return cls(node, f"{namespace}}}" if namespace else "")

    def priced(self, currency: str) -> Branch:
        """The same element of a transaction in `currency`."""
        return Branch(self.node, self.namespace, currency=currency)

    def __repr__(self) -> str:
        return "Branch()"

    @property
    def text(self) -> str:
        """The element's own text, trimmed."""
        return self.node["text"]

    def __iter__(self) -> Iterator[Branch]:
        """The children, whatever their vocabulary."""
        return iter(self._looked_up())

    def all(self, *names: str) -> list[Branch]:
        """The children of these names, in order."""
        children = self._looked_up()
        if len(names) == 1:
            return self._by_name.get(names[0], [])
        return [child for child in children if child.name in names]

    def _looked_up(self) -> list[Branch]:
        if self._children is None:
            self._children = [Branch(one, self.namespace, currency=self.currency) for one in self.node["children"]]
            for child in self._children:
                self._by_name.setdefault(child.name, []).append(child)
        return self._children

    def first(self, *path: str) -> Branch | None:
        """The first descendant along `path`, one name a step."""
        found = self
        for name in path:
            named = found.all(name)
            if not named:
                return None
            found = named[0]
        return found

    def said(self, *path: str) -> str | None:
        """The text along `path`; None where there is none."""
        found = self.first(*path)
        return (found.text or None) if found is not None else None

    def attribute(self, name: str) -> str:
        """An attribute's value, trimmed; empty where there is none. POSLog's attributes have no namespace."""
        return self.node["attributes"].get(name, "").strip()

    def flag(self, *names: str) -> bool:
        """Whether one of these attributes is true (`xs:boolean`)."""
        return any(self.attribute(name).lower() in _TRUE for name in names)

    def minor(self, *path: str) -> int | None:
        """The amount along `path`, or without one the element's own, in minor units; None where there is none.

        Raises:
            MessageRejected: `invalid`; no decimal number, too fine, or in another currency than the transaction.
        """
        found = self.first(*path)
        if found is None or not found.text:
            return None
        own = found.attribute("Currency") or found.attribute("CurrencyCode")
        if own and own != self.currency:
            raise MessageRejected("invalid", "POSLog: amounts in several currencies")
        return minor_units(found.text, currency=self.currency)
