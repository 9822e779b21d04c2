"""Which language a browser's header or a tag asks for; one reading of it for all of the box's pages and HQ's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.serving.language import LANGUAGES, accepted_language, known_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr-FR, zh-Hant;q=0.4, en;q=0.3", "zh-CN"),
        ("en;q=0, zh;q=0.1", "zh-CN"),
        ("zh;q=nan", "en"),
        ("de", "en"),
    ],
)
def test_accept_language(header: str | None, language: str) -> None:
    """The browser's best language that we speak; English where we speak none of them."""
    assert accepted_language(header) == language


@given(st.text() | st.from_regex(r"(zh|en|\*|[a-z]{2})(-[A-Z]{2})?(;q=[0-9.eE+-]{0,5})?(,|$)"))
def test_no_header_is_too_strange(header: str) -> None:
    """Any text at all yields a language, and a tag is known or is not."""
    assert accepted_language(header) in LANGUAGES
    assert known_language(header) in {*LANGUAGES, None}
