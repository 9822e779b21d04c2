"""Which language, size and contrast a page has, and that both languages say everything."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.consent.kiosk
from edge.consent.kiosk.desk import WARNINGS
from edge.consent.kiosk.look import Look
from edge.consent.kiosk.speech import Catalogue
from edge.consent.purposes import LANGUAGES
from edge.errors import ThresholdError

HERE = Path(edge.consent.kiosk.__file__).parent
WORDS = {language: tomllib.loads((HERE / "words" / f"{language}.toml").read_text("utf-8")) for language in LANGUAGES}
SOURCES = "\n".join(path.read_text("utf-8") for path in sorted([*HERE.glob("*.py"), *HERE.glob("templates/*.html")]))
COMPOSED = re.compile(r"(mood_[1-5]|(place|history|state|ticket|ask)_\w+)")
"""Messages whose ids are put together from a level, a place or a state."""


@pytest.mark.parametrize(
    ("header", "language"), [(None, "en"), ("fr-FR, zh-Hant;q=0.4, en;q=0.3", "zh-CN"), ("de", "en")]
)
def test_the_browser_chooses_first(header: str | None, language: str) -> None:
    """Without a cookie the browser's best language that we speak; English where we speak none of them."""
    assert Look.of(cookie=None, accept_language=header).language == language


@given(st.text(), st.text())
def test_no_cookie_is_too_strange(cookie: str, header: str) -> None:
    """Any cookie and header yield a look that a cookie can say again."""
    look = Look.of(cookie=cookie, accept_language=header)
    assert Look.of(cookie=look.cookie, accept_language="xx") == look
    assert look.language in LANGUAGES


@given(st.dictionaries(st.sampled_from(["lang", "size", "contrast", "x"]), st.text()))
def test_nonsense_changes_nothing(wishes: dict[str, str]) -> None:
    """A wish is one of those we have, or is passed over."""
    look = Look(language="zh-CN", size="large", contrast="high")
    wished = look.with_wishes(wishes)
    assert wished.size in {"normal", "large"}
    assert wished.contrast in {"normal", "high"}
    if wishes.get("size") not in {"normal", "large"}:
        assert wished.size == "large"


@pytest.mark.parametrize("message_id", sorted(WORDS["en"]))
def test_every_message_is_said_and_translated(message_id: str) -> None:
    """No text is empty, left over, or the same in both languages unless it is a sign or a place for values."""
    english, chinese = (WORDS[language][message_id] for language in LANGUAGES)
    assert english.strip()
    assert chinese.strip()
    assert english != chinese or message_id == "page_title"
    assert COMPOSED.fullmatch(message_id) or re.search(rf"""["']{message_id}["']""", SOURCES)


def test_every_message_asked_for_exists() -> None:
    """Whatever pages and templates say has words."""
    asked = set(re.findall(r"""\bsay\(\s*["'](\w+)["'][,)]""", SOURCES)) | set(re.findall(r'say="(\w+)"', SOURCES))
    assert len(asked) > 100
    assert asked | WARNINGS <= set(WORDS["en"])


def test_a_missing_translation_is_found() -> None:
    """A catalogue that lacks a message, or fills in other values, is refused when it is read."""
    with pytest.raises(ThresholdError, match="zh-CN: b"):
        Catalogue({"en": {"a": "x", "b": "{n}"}, "zh-CN": {"a": "y", "b": "{m}"}})
    with pytest.raises(ThresholdError, match="zh-CN: a"):
        Catalogue({"en": {"a": "x"}, "zh-CN": {}})


@pytest.mark.parametrize(("language", "day"), [("en", "4 June 2026"), ("zh-CN", "2026年6月4日")])
def test_days_go_by_the_shops_clock(language: str, day: str) -> None:
    """A moment late in UTC is the next day in Shanghai, in the language's own writing."""
    say = Catalogue.load().speech(language, timezone="Asia/Shanghai")  # type: ignore[arg-type]
    assert say.day(datetime(2026, 6, 3, 20, 5, tzinfo=UTC)) == day
    assert say.day(date(2026, 6, 4)) == day
    assert say.moment(datetime(2026, 6, 3, 20, 5, tzinfo=UTC)).endswith("04:05")
    assert say.number(12345) == "12,345"
