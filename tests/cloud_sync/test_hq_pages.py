"""The page: every store on one screen, for who may see it, in their language."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.hq.words import Words, ago, choose_language, money, words


@pytest.fixture
def open_hq(tmp_path: Path, kit: Any) -> Iterator[Any]:
    """An HQ that shows its page to anyone, as on loopback."""
    hq = kit.RunningHq(tmp_path / "hq", page_open=True)
    hq.add_store("s1")
    hq.start()
    yield hq
    hq.stop()


def cells(page: str, store: str) -> list[str]:
    """The text of a store's row, cell by cell."""
    (row,) = re.findall(rf'<tr>\s*<th scope="row">{store}</th>.*?</tr>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]


def test_it_shows_each_stores_own_today(open_hq: Any, kit: Any) -> None:
    """When last heard of, how many events, who came in (not who left), what was taken by currency."""
    bodies = [
        kit.count(1200),
        kit.count(34, hour=11),
        kit.count(9, key="out"),
        kit.sale(123450),
        kit.sale(900, currency="JPY"),
    ]
    open_hq.post([kit.event(body, number) for number, body in enumerate(bodies, start=1)])
    open_hq.now = kit.NOON + timedelta(minutes=12)
    seen, events, visits, _, takings, *_ = cells(open_hq.get("/").text, "s1")
    assert (seen, events, visits, takings) == ("12 min ago", "5", "1,234", "1,234.50 EUR 900 JPY")


def test_yesterday_is_not_today(open_hq: Any, kit: Any) -> None:
    """A day later the same windows are history."""
    open_hq.post([kit.event(kit.count(1200), 1), kit.event(kit.sale(1), 2)])
    open_hq.now = kit.NOON + timedelta(days=1)
    seen, events, visits, _, takings, *_ = cells(open_hq.get("/").text, "s1")
    assert (seen, events, visits, takings) == ("24 h ago silent", "2", "0", "–")


def test_a_day_is_the_stores_own(open_hq: Any, kit: Any) -> None:
    """At 17:00 UTC it is tomorrow in Shanghai: what came in there at 9 UTC was yesterday."""
    open_hq.add_store("shanghai", credential="e" * 64, timezone="Asia/Shanghai")
    for store, credential in (("s1", kit.CREDENTIAL), ("shanghai", "e" * 64)):
        open_hq.post([kit.event(kit.count(7), 1, store=store)], store=store, credential=credential)
    open_hq.now = kit.NOON.replace(hour=17)
    page = open_hq.get("/").text
    assert (cells(page, "s1")[2], cells(page, "shanghai")[2]) == ("7", "0")


def test_a_store_never_heard_of_is_shown_as_such(open_hq: Any) -> None:
    """It is on the page from the moment it is added."""
    assert cells(open_hq.get("/").text, "s1")[0] == "never yet silent"


def test_without_stores_it_says_how_to_add_one(tmp_path: Path, kit: Any) -> None:
    """An empty page helps on."""
    hq = kit.RunningHq(tmp_path / "hq", page_open=True)
    hq.start()
    assert "threshold hq add-store" in hq.get("/").text
    hq.stop()


def test_it_loads_nothing_from_elsewhere_and_runs_nothing(open_hq: Any) -> None:
    """A strict policy, no script, no inline style, and its one style sheet is its own."""
    answer = open_hq.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script|\sstyle=|\son\w+=|//", answer.text.replace("<!doctype html>", ""))
    assert open_hq.get("/hq.css").headers["content-type"].startswith("text/css")


def test_what_a_store_sends_is_escaped(open_hq: Any, kit: Any) -> None:
    """A place's name full of markup never becomes markup."""
    open_hq.post([kit.event(kit.count(1, place="<script>alert(1)</script>"), 1)])
    assert "<script" not in open_hq.get("/").text
    assert "<script" not in open_hq.get("/?lang=%3Cscript%3E").text


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "zh-TW;q=0.3, en-GB;q=0.7", "en"),
        ("", "de, fr;q=0.5", "en"),
        ("?lang=zh-CN", "en", "zh-CN"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=xx", "zh-CN", "zh-CN"),
    ],
)
def test_it_speaks_the_readers_language(query: str, accept: str, language: str, open_hq: Any) -> None:
    """By choice, else by the browser's preference, else English; and says so in its header and its markup."""
    answer = open_hq.get("/" + query, **{"accept-language": accept})
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert words(language).lead in answer.text  # type: ignore[arg-type]


def test_elsewhere_it_asks_for_the_administrators_token(hq: Any, kit: Any) -> None:
    """As a password any browser can ask for; a store's credential does not open it."""
    assert hq.get("/").status_code == 401
    assert hq.get("/").headers["www-authenticate"].startswith("Basic ")
    for password, status in ((kit.ADMIN_TOKEN, 200), (kit.CREDENTIAL, 401), ("", 401), ("é", 401)):
        encoded = base64.b64encode(f"anyone:{password}".encode()).decode()
        assert hq.get("/", authorization=f"Basic {encoded}").status_code == status
    assert hq.get("/", authorization="Basic !!!").status_code == 401
    assert hq.get("/", authorization="Basic /w==").status_code == 401


@given(accept=st.text(max_size=80))
def test_any_accept_language_gives_a_language(accept: str) -> None:
    """Whatever a browser sends, the page speaks one of the two."""
    assert choose_language(None, accept) in ("en", "zh-CN")


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (0, "EUR", "0.00 EUR"),
        (5, "CNY", "0.05 CNY"),
        (-123456, "EUR", "−1,234.56 EUR"),
        (1234567, "JPY", "1,234,567 JPY"),
        (1500, "KWD", "1.500 KWD"),
    ],
)
def test_money_is_written_in_its_currencys_own_digits(minor: int, currency: str, written: str) -> None:
    """Yen have no minor unit, dinars have three digits of it."""
    assert money(minor, currency) == written


@given(minor=st.integers(-(10**15), 10**15), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_no_cent_is_lost_in_writing(minor: int, currency: str) -> None:
    """Read back, the digits are the amount."""
    written = money(minor, currency).removesuffix(f" {currency}")
    assert int(re.sub(r"[,.]", "", written.replace("−", "-"))) == minor


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("seconds", [None, 0, 59, 60, 3599, 3600, 172_799, 172_800])
def test_every_age_has_words(seconds: int | None, language: Any) -> None:
    """No placeholder is left in the text."""
    say: Words = words(language)
    assert ago(seconds, say)
    assert "{" not in ago(seconds, say)
