"""XML from outside, taken apart under guard: no DTD, no entity, no reference to anything, and bounds before there is a tree.

Only UTF-8 is read. A document type is refused on sight, wherever it stands: without one there are no entities but XML's
own five, hence no bomb and no way to a file or a host (OWASP XML External Entity Prevention; CWE-611, CWE-776). What is
left is size: the parser is fed in pieces and stopped at the first bound that is passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from lxml import etree  # type: ignore[import-untyped]  # it ships none

from edge.errors import MessageRejected

__all__ = ["XmlLimits", "XmlNode", "parse_xml"]


class XmlNode(TypedDict):
    """One element as plain values, so that whoever scans values can scan it. Names are `{namespace}local`, as lxml's."""

    tag: str
    attributes: dict[str, str]
    text: str
    children: list[XmlNode]


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """The most that a document may hold; a POSLog of 500 lines needs a tenth of it."""

    bytes: int = 512 * 1024
    depth: int = 32
    elements: int = 20_000
    attributes: int = 20_000
    attributes_each: int = 64
    namespaces: int = 1_000
    attribute_chars: int = 8_192
    text_chars: int = 64 * 1024
    name_chars: int = 300


_PIECE = 8_192
_BOM = b"\xef\xbb\xbf"
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?encoding\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_MARKUP_DECLARATION = re.compile(r"<!(?!--|\[CDATA\[)")
_READ_AS_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def parse_xml(payload: bytes, *, limits: XmlLimits | None = None) -> XmlNode:
    """The root element of `payload`. Comments and processing instructions are dropped.

    Raises:
        MessageRejected: `too-large` past a bound, `unsafe-xml` for a document type or an encoding other than UTF-8,
            `not-xml`. Its text repeats nothing of the document.
    """
    bounds = limits or XmlLimits()
    if len(payload) > bounds.bytes:
        raise MessageRejected("too-large", f"XML of {len(payload)} bytes, at most {bounds.bytes} are taken")
    text = _decoded(payload)
    builder = _Builder(bounds)
    # One parser for each document: a parser that has failed is not used again.
    parser = etree.XMLParser(
        target=builder,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    raw = text.encode()
    try:
        for start in range(0, len(raw), _PIECE):
            parser.feed(raw[start : start + _PIECE])
            builder.check()
        root: XmlNode | None = parser.close()
    except (etree.XMLSyntaxError, AssertionError):  # lxml asserts that something was fed
        builder.check()
        raise MessageRejected("not-xml", "XML that is not well formed") from None
    if root is None:
        raise MessageRejected("not-xml", "XML without an element")
    return root


def _decoded(payload: bytes) -> str:
    """The document as text without its byte order mark and declaration's encoding checked."""
    try:
        text = payload.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise MessageRejected("unsafe-xml", "XML that is not UTF-8") from None
    declared = _DECLARATION.match(text)
    if "\x00" in text or (declared and (declared[1] or declared[2] or "").lower() not in _READ_AS_UTF8):
        raise MessageRejected("unsafe-xml", "XML that says it is not UTF-8")
    if _MARKUP_DECLARATION.search(text):
        raise MessageRejected("unsafe-xml", "XML with a document type or an entity")
    return text


class _Builder:
    """lxml's parser target: builds plain nodes and counts. Past a bound it takes nothing more in, and `check` raises.

    It runs for each tag of each sale, so it is written for speed.
    """

    __slots__ = ("_attributes", "_depth", "_elements", "_limits", "_namespaces", "_open", "_texts", "passed", "root")

    def __init__(self, limits: XmlLimits) -> None:
        self.root: XmlNode | None = None
        self.passed: str | None = None
        self._limits = limits
        self._open: list[XmlNode] = []
        self._texts: list[list[str]] = []
        self._depth = self._elements = self._attributes = self._namespaces = 0

    def start_ns(self, _prefix: str, _uri: str) -> None:
        self._namespaces += 1

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self.passed is not None or self._passes(tag, attributes):
            return
        node: XmlNode = {"tag": tag, "attributes": dict(attributes) if attributes else {}, "text": "", "children": []}
        if self._depth:
            self._open[-1]["children"].append(node)
        else:
            self.root = node
        self._depth += 1
        self._open.append(node)
        self._texts.append([])

    def data(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def end(self, _tag: str) -> None:
        if self.passed is not None:
            return
        text = "".join(self._texts.pop())  # no longer than the document
        self._open.pop()["text"] = text.strip()
        self._depth -= 1
        if len(text) > self._limits.text_chars:
            self.passed = "text"

    def close(self) -> XmlNode | None:
        return self.root

    def check(self) -> None:
        """Raise where a bound was passed."""
        if self.passed is not None:
            raise MessageRejected("too-large", f"XML with more {self.passed} than are taken")

    def _passes(self, tag: str, attributes: Mapping[str, str]) -> bool:
        limits = self._limits
        if self._depth >= limits.depth:
            self.passed = "nested elements"
        elif self._elements > limits.elements:
            self.passed = "elements"
        elif self._namespaces > limits.namespaces:
            self.passed = "namespaces"
        elif len(tag) > limits.name_chars:
            self.passed = "letters in a name"
        elif attributes:
            self._attributes += len(attributes)
            self.passed = self._passed_by(attributes)
        return self.passed is not None

    def _passed_by(self, attributes: Mapping[str, str]) -> str | None:
        limits = self._limits
        if self._attributes > limits.attributes or len(attributes) > limits.attributes_each:
            return "attributes"
        if max(map(len, attributes.keys())) > limits.name_chars:
            return "letters in a name"
        return "text in an attribute" if max(map(len, attributes.values())) > limits.attribute_chars else None
