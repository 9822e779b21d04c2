"""XML from outside: taken apart within bounds, or refused before it can do anything."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import hostile_xml
import pytest
from hostile_xml import MEGABYTE, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import MessageRejected
from edge.pos_bridge.guard import XmlLimits, XmlNode, parse_xml

NAMES = sorted(hostile(Path("/nowhere")))


@pytest.mark.parametrize("name", NAMES)
def test_what_means_harm_is_refused_by_name(name: str, tmp_path: Path) -> None:
    """And nothing of it, nor of the file it names, is repeated."""
    secret = tmp_path / "secret"
    secret.write_text("the-secret")
    payload, reason = hostile(secret)[name]
    with pytest.raises(MessageRejected) as refused:
        parse_xml(payload)
    assert refused.value.reason == reason
    assert refused.value.__cause__ is None
    assert "secret" not in str(refused.value)


def test_refusing_takes_constant_memory() -> None:
    """All of it, three times over, within a few megabytes: of Python's memory, and of the parser's, which Python can't see."""
    command = [sys.executable, hostile_xml.__file__]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    traced, grown = (int(word) for word in done.stdout.split())
    assert traced < 16 * MEGABYTE
    assert grown < 48 * MEGABYTE


def test_a_document_becomes_plain_values() -> None:
    """Names with their namespaces, text joined, comments and instructions gone."""
    head = '<?xml version="1.0" encoding="utf-8"?><?do it?>'
    text = head + '<a:x xmlns:a="u" k="&lt;1">t &amp; <!-- 4111 --><y/>u<![CDATA[<z>]]></a:x>'
    expected = XmlNode(
        tag="{u}x",
        attributes={"k": "<1"},
        text="t & u<z>",
        children=[XmlNode(tag="y", attributes={}, text="", children=[])],
    )
    assert parse_xml(text.encode()) == expected
    assert parse_xml(b"\xef\xbb\xbf" + text.encode()) == expected


def test_includes_are_names_like_others(tmp_path: Path) -> None:
    """XInclude is not followed."""
    secret = tmp_path / "secret"
    secret.write_text("the-secret")
    xi = 'xmlns:xi="http://www.w3.org/2001/XInclude"'
    node = parse_xml(f'<a {xi}><xi:include href="{secret.as_uri()}" parse="text"/></a>'.encode())
    assert "the-secret" not in str(node)


@pytest.mark.parametrize(
    ("limits", "fits", "passes"),
    [
        (XmlLimits(depth=3), b"<a><a><a/></a></a>", b"<a><a><a><a/></a></a></a>"),
        (XmlLimits(elements=3), b"<a><a/><a/></a>", b"<a><a/><a/><a/></a>"),
        (XmlLimits(attributes=2), b"<a b='' c=''/>", b"<a b='' c=''><a d=''/></a>"),
        (XmlLimits(attributes_each=2), b"<a b='' c=''/>", b"<a b='' c='' d=''/>"),
        (XmlLimits(attribute_chars=2), b"<a b='12'/>", b"<a b='123'/>"),
        (XmlLimits(text_chars=2), b"<a>12</a>", b"<a>12<b/>3</a>"),
        (XmlLimits(name_chars=2), b"<ab/>", b"<abc/>"),
        (XmlLimits(bytes=7), b"<abcd/>", b"<abcde/>"),
    ],
)
def test_each_bound_is_where_it_says(limits: XmlLimits, fits: bytes, passes: bytes) -> None:
    """What just fits is taken, one more is too large."""
    parse_xml(fits, limits=limits)
    with pytest.raises(MessageRejected) as refused:
        parse_xml(passes, limits=limits)
    assert refused.value.reason == "too-large"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet="<>!-[]&;/ aDOCTYPEx='\"?", max_size=80).map(str.encode)))
def test_whatever_comes_is_taken_or_refused(payload: bytes) -> None:
    """No other error escapes, and what is taken has a root."""
    with contextlib.suppress(MessageRejected):
        assert parse_xml(payload)["tag"]
