"""Both languages say everything, and the right one is spoken."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from busy_shop import AFTERNOON, busy_settings, fill
from hypothesis import given
from hypothesis import strategies as st

import edge.web
from edge.serving.language import LANGUAGES
from edge.storage.store import Store
from edge.web.language import Speech
from edge.web.presenter import present
from edge.web.reading import read_today
from edge.web.words import WORDS

HERE = Path(edge.web.__file__).parent
SOURCES = "\n".join(
    path.read_text("utf-8") for path in sorted([*HERE.rglob("*.py"), *HERE.rglob("*.html")]) if path.name != "words.py"
)


NO_WORDS = r"[MLhvz\d .-]+|(scale|#face-).*|ok|idle|trouble|warn|info|online|offline|never"
"""Geometry, and the names of states that only the style sheet reads."""


@pytest.mark.parametrize("message_id", sorted(WORDS))
def test_every_message_is_in_every_language(message_id: str) -> None:
    """No message lacks a language or is empty, and all its languages fill in the same values."""
    texts = WORDS[message_id]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()]
    assert all(each == names[0] for each in names)


def test_translations_differ() -> None:
    """Chinese texts are Chinese: only names and signs are the same in both languages."""
    same = {message_id for message_id, texts in WORDS.items() if texts["en"] == texts["zh-CN"]}
    assert same == {"product", "unknown_figure", "kind_frigate"}


def test_no_english_is_left_in_the_chinese_page(tmp_path: Path) -> None:
    """But for the names that the shop itself has given, and words that Chinese writes in Latin letters."""
    settings = busy_settings(tmp_path)
    store = Store(settings.store_db)
    fill(store, settings)
    store.close()
    view = present(read_today(settings, at=AFTERNOON), say=Speech("zh-CN"))
    named = set(re.findall(r"[A-Za-z]+", settings.model_dump_json()))
    texts = [text for text in _texts(asdict(view)) if not re.fullmatch(NO_WORDS, text)]
    words = {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}
    assert len(texts) > 100
    assert words - named <= {"EUR", "store", "toml"}


def _texts(value: object) -> Iterator[str]:
    """Every text in the values of a view."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _texts(inner)


@pytest.mark.parametrize("message_id", sorted(WORDS))
def test_every_message_is_used(message_id: str) -> None:
    """No text is left over from something the page no longer says."""
    assert re.search(rf"""["']{message_id}["']""", SOURCES)


def test_every_message_asked_for_exists() -> None:
    """Whatever the template or the presenter says has words."""
    asked = set(re.findall(r"""\bsay(?:\.of_record)?\(\s*["'](\w+)["']""", SOURCES))
    assert len(asked) > 50
    assert asked <= set(WORDS)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "EUR", "EUR 1,234.50"),
        (-5, "EUR", "EUR −0.05"),
        (1234, "JPY", "JPY 1,234"),
        (1234, "KWD", "KWD 1.234"),
        (0, "CNY", "CNY 0.00"),
    ],
)
def test_money(minor: int, currency: str, text: str) -> None:
    """Minor units become amounts by each currency's own decimals."""
    assert Speech("en").money(minor, currency=currency) == text


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_is_exact(minor: int, currency: str) -> None:
    """No amount is rounded: its digits and sign are those of the minor units."""
    text = Speech("zh-CN").money(minor, currency=currency)
    assert int(re.sub(r"[^0-9−]", "", text).replace("−", "-")) == minor


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "just now"), (5, "5 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")],
)
def test_ago(seconds: int, text: str) -> None:
    """Time gone by is told in the largest unit that leaves two of it."""
    assert Speech("en").ago(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "1 min"), (90, "90 s"), (3600, "1 h"), (10, "10 s"), (900, "15 min")]
)
def test_lengths_are_exact(seconds: int, text: str) -> None:
    """A window's length is never rounded."""
    assert Speech("en").length(seconds) == text


def test_dates() -> None:
    """Dates read as each language writes them; a moment of another day says which."""
    english, chinese = Speech("en"), Speech("zh-CN")
    now = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
    assert english.weekday_date(date(2025, 6, 3)) == "Tuesday, 3 June 2025"
    assert chinese.weekday_date(date(2025, 6, 3)) == "2025年6月3日 星期二"
    assert english.moment(now, now=now) == "12:00"
    assert english.moment(now - timedelta(days=1), now=now) == "2 June 2025, 12:00"
    assert chinese.moment(now - timedelta(days=1), now=now) == "2025年6月2日 12:00"


def test_unsure_speech_says_no_figure() -> None:
    """Where figures are not known they are said as a dash; numbers that are settings are said all the same."""
    say = Speech("en").unsure()
    assert (say.figure(0), say.of_record("no_sales"), say.number(5)) == ("–", "–", "5")
