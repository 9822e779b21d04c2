"""The dashboard over HTTP: what it says, what it escapes, what it forbids, and whom it answers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import edge.web
from edge.facts import Crossing, SaleMade, ZoneEntered
from edge.messages import Device
from edge.serving.headers import CONTENT_SECURITY_POLICY
from edge.settings import Settings
from edge.storage.store import Store
from edge.web.app import LANGUAGE_COOKIE, build_web

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
HERE = Path(edge.web.__file__).parent
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}&lt;"


@pytest.fixture
def client(settings: Settings, clock: Any, serve: Callable[..., Any]) -> Iterator[httpx.Client]:
    with serve(build_web(settings, clock=clock)) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_page_and_api_say_the_same(client: httpx.Client, remember: Callable[..., None]) -> None:
    """The numbers in the page are the ones in the API, in words and typed."""
    remember([*[Crossing(NOON, "east", "door", "in")] * 1234, *[Crossing(NOON, "east", "door", "out")] * 200])
    answer = client.get("/api/today").json()
    assert (answer["figures"]["footfall"]["entered"], answer["occupancy"]) == (1234, 1034)
    assert (answer["view"]["visitors"], answer["view"]["occupancy"]) == ("1,234", "1,034")
    page = client.get("/").text
    assert '<title data-text="title">1,234 visitors today · Linden</title>' in page
    assert "1,234 came in · 200 went out" in page


def test_conversion(client: httpx.Client, remember: Callable[..., None]) -> None:
    """Sales per hundred visitors, and silence where nobody was counted."""
    sale = SaleMade(NOON, "till-1", "sale", "EUR", 1, 100, 0)
    remember([sale])
    assert client.get("/api/today").json()["view"]["conversion"] == ""
    remember([*[Crossing(NOON, "east", "door", "in")] * 8, sale])
    assert client.get("/api/today").json()["view"]["conversion"] == "25 sales per 100 visitors"


def test_a_new_shop_says_so(client: httpx.Client) -> None:
    """Before the gateway has ever run the page says that it has written nothing, and shows dashes instead of zeros."""
    page = client.get("/")
    assert page.status_code == 200
    assert "The gateway has not written anything yet" in page.text
    assert "The sync process has not written anything yet" in page.text
    view = client.get("/api/today").json()["view"]
    assert (view["visitors"], view["occupancy"], view["no_sales"], view["box"]["facts"][0]["value"]) == ("–",) * 4
    assert client.get("/healthz").json() == {"status": "ok", "record": "absent"}


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be mistaken for one" * 99])
def test_a_damaged_record_says_so(client: httpx.Client, settings: Settings, content: bytes) -> None:
    """A file that is no database, or is only being made, never makes an error page."""
    settings.state.mkdir()
    for path in (settings.store_db, settings.sync_db):
        path.write_bytes(content)
    expected = "cannot be read at the moment" if content else "has not written anything yet"
    page = client.get("/")
    assert page.status_code == 200
    assert expected in page.text
    assert client.get("/api/today").json()["view"]["visitors"] == "–"
    assert client.get("/healthz").json()["record"] == ("unreadable" if content else "absent")


def test_a_half_made_record_says_so(client: httpx.Client, settings: Settings, store: Store) -> None:
    """A table that is not there makes the record unreadable, not the page."""
    with closing(sqlite3.connect(settings.store_db)) as connection, connection:
        connection.execute("DROP TABLE releases")
    assert "cannot be read at the moment" in client.get("/").text


def test_a_closed_record_is_still_read(client: httpx.Client, settings: Settings, store: Store, remember: Any) -> None:
    """With the gateway stopped its figures stay on the page."""
    remember([Crossing(NOON, "east", "door", "in")])
    store.close()
    assert client.get("/api/today").json()["view"]["visitors"] == "1"


def test_a_quiet_gateway_is_noticed(client: httpx.Client, store: Store, clock: Any) -> None:
    """Three minutes without anything new is worth a look, and the page says since when."""
    with store.transaction() as tx:
        tx.device_seen(Device("camera", "east"), at=NOON)
    assert client.get("/api/today").json()["view"]["notices"] == []
    clock.now = NOON + timedelta(minutes=4)
    (notice,) = client.get("/api/today").json()["view"]["notices"]
    assert notice["level"] == "warn"
    assert "Nothing new has reached this box since 12:00" in notice["text"]


def test_counting_off_is_said(make_settings: Callable[..., Settings], clock: Any, serve: Callable[..., Any]) -> None:
    """A zone whose notice nobody attested is named, with what is off there."""
    settings = make_settings(zones=[{"id": "entrance", "name": "Haupteingang"}])
    with serve(build_web(settings, clock=clock)) as address:
        page = httpx.get(address, trust_env=False).text
    assert "Counting is off in Haupteingang: nobody has confirmed" in page


def test_hostile_names_are_escaped(client: httpx.Client, store: Store, remember: Callable[..., None]) -> None:
    """Whatever a device calls itself, it is text on the page."""
    remember([Crossing(NOON, HOSTILE, HOSTILE, "in"), ZoneEntered(NOON, HOSTILE)])
    remember([SaleMade(NOON, "till-1", "sale", HOSTILE, 1, 100, 0)])
    with store.transaction() as tx:
        tx.device_seen(Device("camera", HOSTILE), at=NOON, firmware=HOSTILE)
        tx.device_seen(Device(HOSTILE, "x"), at=NOON, state=HOSTILE)  # type: ignore[arg-type]
        tx.dead_letter(at=NOON, reason=HOSTILE, topic="t", size=1, sha256="0" * 64)
    page = client.get("/").text
    assert "<script>alert" not in page
    assert "{{" not in page.replace("{{7*7}}", "")
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;{{7*7}}&amp;lt;") >= 6
    assert HOSTILE in [device["name"] for device in client.get("/api/today").json()["view"]["devices"]]


@pytest.mark.parametrize("path", ["/", "/api/today", "/healthz", "/static/dashboard.js", "/nowhere", "/docs"])
def test_every_answer_forbids(client: httpx.Client, path: str) -> None:
    """Policy, type sniffing, referrer and cache headers stand on every answer."""
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_nothing_inline_and_nothing_foreign(client: httpx.Client, remember: Callable[..., None]) -> None:
    """The page needs no inline script or style, and neither it nor its files name another host."""
    remember([Crossing(NOON, "east", "door", "in")])
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r"""(?:href|src)=["'](?![/#"'])""", page)
    for name in ("dashboard.css", "dashboard.js"):
        assert not re.search(r"https?:|//[a-z]+\.|url\(|@import|innerHTML|eval\(", (HERE / "static" / name).read_text())


def test_there_is_no_other_page(client: httpx.Client) -> None:
    """FastAPI's documentation, which loads scripts from elsewhere, is not served; nothing can be posted."""
    assert {client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}
    assert {client.post(path).status_code for path in ("/", "/api/today", "/healthz")} == {405}
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1", "192.168.7.20:8080", "[::1]:8080", "LOCALHOST", "localhost."]
)
def test_the_boxs_own_names_are_answered(client: httpx.Client, host: str) -> None:
    """Loopback names and plain addresses reach the page."""
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "", "localhost:x"]
)
def test_foreign_names_are_refused(client: httpx.Client, host: str) -> None:
    """A name that somebody else can point at this box gets nothing: DNS rebinding ends here."""
    for path in ("/", "/api/today", "/static/dashboard.js"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code in {400, 421}
        assert "Linden" not in answer.text


def test_the_configured_name_is_answered(
    make_settings: Callable[..., Settings], clock: Any, serve: Callable[..., Any]
) -> None:
    """A name that the shop itself chose in its settings reaches the page."""
    app = build_web(make_settings(web={"host": "Box.Shop.Example"}), clock=clock)
    with serve(app) as address:
        found = [
            httpx.get(f"{address}/healthz", headers={"host": name}, trust_env=False).status_code
            for name in ("box.shop.example:8080", "other.shop.example")
        ]
    assert found == [200, 421]


def test_the_browsers_language_is_spoken(client: httpx.Client) -> None:
    """Accept-Language decides while nothing was chosen."""
    page = client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-CN">' in page.text
    assert "今日客流" in page.text
    assert "set-cookie" not in page.headers


def test_a_chosen_language_is_remembered(client: httpx.Client) -> None:
    """One tap on a language sets a cookie that outweighs the browser's wish; the API follows."""
    chosen = client.get("/?lang=zh-CN", headers={"accept-language": "en"})
    assert "httponly" in chosen.headers["set-cookie"].lower()
    assert "samesite=lax" in chosen.headers["set-cookie"].lower()
    assert client.cookies[LANGUAGE_COOKIE] == "zh-CN"
    assert '<html lang="zh-CN">' in client.get("/", headers={"accept-language": "en"}).text
    assert client.get("/api/today").json()["language"] == "zh-CN"
    assert client.get("/api/today?lang=en").json()["language"] == "en"


def test_an_unknown_language_changes_nothing(client: httpx.Client) -> None:
    """A language we do not speak is passed over, whatever it holds."""
    page = client.get("/", params={"lang": HOSTILE})
    assert '<html lang="en">' in page.text
    assert "set-cookie" not in page.headers
    assert "alert(1)" not in page.text


def test_the_page_works_without_script(client: httpx.Client) -> None:
    """Without JavaScript the page holds all figures and loads itself anew."""
    page = client.get("/").text
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page
    assert page.count('<rect class="in"') == 61  # sixty windows, and the row the script copies


def test_the_page_writes_nothing(client: httpx.Client, settings: Settings, store: Store) -> None:
    """Looking at the page leaves the gateway's database as it was."""
    with closing(sqlite3.connect(settings.store_db)) as connection:
        before = connection.execute("SELECT * FROM pragma_data_version").fetchone()
        client.get("/")
        client.get("/api/today")
        assert connection.execute("SELECT * FROM pragma_data_version").fetchone() == before
