"""The dashboard in a real Chromium: live, in both languages, silent towards every other host."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from busy_shop import AFTERNOON, busy_settings, fill
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from edge.facts import Crossing, MoodGiven, SaleMade, ZoneEntered
from edge.messages import Device
from edge.settings import Settings
from edge.storage.store import Store
from edge.web.app import build_web

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
PATIENCE_S = 90
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
HOSTILE = "<img src=x onerror=alert(1)>"
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1180,900",
)

pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()), reason="needs Chromium: apt-get install chromium-driver"
    ),
    pytest.mark.timeout(600),
]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def address(settings: Settings, clock: Any, serve: Callable[..., Any]) -> Iterator[str]:
    with serve(build_web(settings, clock=clock)) as address:
        yield address


def text(browser: WebDriver, path: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, f'main [data-text="{path}"]').text


def wait_for(browser: WebDriver, path: str, expected: str) -> None:
    WebDriverWait(browser, PATIENCE_S, 0.2).until(
        lambda _: text(browser, path) == expected, f"{path} is never {expected}"
    )


def flat(html: str) -> str:
    """Markup without the white space that only lays out the template."""
    return re.sub(r"\s*([<>])\s*", r"\1", re.sub(r"\s+", " ", html))


def as_loaded(browser: WebDriver, address: str, query: str) -> str:
    """The <main> that the server would write now, as the browser reads it."""
    page = httpx.get(f"{address}/{query}", trust_env=False).text
    read = "return new DOMParser().parseFromString(arguments[0], 'text/html').querySelector('main').outerHTML"
    return flat(browser.execute_script(read, page)).replace(' class="changed"', "")


def as_shown(browser: WebDriver) -> str:
    return flat(browser.find_element(By.TAG_NAME, "main").get_attribute("outerHTML") or "").replace(" changed", "")


def logged(browser: WebDriver, what: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = browser.get_log(what)  # type: ignore[no-untyped-call]
    return entries


def requested_hosts(browser: WebDriver) -> set[str]:
    """Whom the browser asked over a network; its own first tab (chrome:, data: and the like) asks nobody."""
    events = [json.loads(entry["message"])["message"] for entry in logged(browser, "performance")]
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return {urlsplit(url).netloc for url in urls if urlsplit(url).scheme in {"http", "https", "ws", "wss"}}


def test_numbers_change_by_themselves(
    browser: WebDriver, address: str, settings: Settings, store: Store, remember: Callable[..., None], clock: Any
) -> None:
    """New facts show without a reload, as the server itself would write them; nothing is complained of, nobody else asked."""
    browser.get(f"{address}/?lang=en")
    wait_for(browser, "visitors", "0")
    notice = browser.find_element(By.CSS_SELECTOR, ".notice").text
    assert notice.startswith("The gateway is ready; no device has spoken to it yet.")
    remember([*[Crossing(NOON, "east", "door", "in")] * 12, *[Crossing(NOON, HOSTILE, HOSTILE, "out")] * 5])
    remember(
        [ZoneEntered(NOON, HOSTILE), MoodGiven(NOON, "kiosk-1", 5), SaleMade(NOON, "till-1", "sale", "EUR", 2, 4990, 0)]
    )
    with store.transaction() as tx:
        tx.device_seen(Device("camera", HOSTILE), at=NOON)
    wait_for(browser, "visitors", "12")
    wait_for(browser, "occupancy", "7")
    assert browser.title == "12 visitors today · Linden"
    # Every list grew by the script's hand; the server writes the very same.
    wait_until_same(browser, address, "?lang=en")
    clock.now = NOON + timedelta(minutes=30)
    wait_until_same(browser, address, "?lang=en")
    assert logged(browser, "browser") == []
    assert requested_hosts(browser) == {urlsplit(address).netloc}


def wait_until_same(browser: WebDriver, address: str, query: str) -> None:
    same = lambda _: as_shown(browser) == as_loaded(browser, address, query)  # noqa: E731
    WebDriverWait(browser, PATIENCE_S, 0.5).until(same, "script and server write different pages")


def test_one_tap_changes_the_language(browser: WebDriver, address: str, remember: Callable[..., None]) -> None:
    """The switch speaks Chinese at once, live figures included, and the next visit does too."""
    browser.get(f"{address}/?lang=en")
    browser.find_element(By.CSS_SELECTOR, 'nav a[lang="zh-CN"]').click()
    assert browser.find_element(By.ID, "visitors-title").text == "今日客流"
    remember([Crossing(NOON, "east", "door", "in")] * 3)
    wait_for(browser, "visitors_detail", "进店 3 · 离店 0")
    browser.get(address)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "zh-CN"
    wait_until_same(browser, address, "?lang=zh-CN")
    assert logged(browser, "browser") == []
    assert requested_hosts(browser) == {urlsplit(address).netloc}


def test_a_lost_box_is_said(
    browser: WebDriver, settings: Settings, store: Store, clock: Any, serve: Callable[..., Any]
) -> None:
    """When the box falls silent the page says that its figures may be old."""
    with ExitStack() as stack:
        browser.get(stack.enter_context(serve(build_web(settings, clock=clock))))
        live = browser.find_element(By.ID, "live")
        WebDriverWait(browser, PATIENCE_S).until(lambda _: live.is_displayed())
    alarm = browser.find_element(By.ID, "lost")
    WebDriverWait(browser, PATIENCE_S).until(lambda _: alarm.is_displayed())
    assert "does not answer" in alarm.text
    assert not live.is_displayed()


def test_the_table_opens_by_keyboard(browser: WebDriver, address: str, remember: Callable[..., None]) -> None:
    """The chart's numbers are reachable as a table without a mouse."""
    remember([Crossing(NOON, "east", "door", "in")] * 3)
    browser.get(f"{address}/?lang=en")
    for chart, windows in (("hours", 5), ("chart", 60)):
        table = browser.find_element(By.CSS_SELECTOR, f'[aria-labelledby="{chart}-title"] details')
        table.find_element(By.TAG_NAME, "summary").send_keys("\n")
        rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
        assert len(rows) == windows
        assert rows[-1].text.split() == ["12:00", "3", "0"]


@pytest.fixture
def busy_address(tmp_path: Path, clock: Any, serve: Callable[..., Any]) -> Iterator[str]:
    """The dashboard of a shop that has everything set up, before its first customer; `fill` lets the day happen."""
    clock.now = AFTERNOON
    with serve(build_web(busy_settings(tmp_path / "busy"), clock=clock)) as address:
        yield address


@pytest.fixture
def have_a_day(tmp_path: Path) -> Callable[[], None]:
    settings = busy_settings(tmp_path / "busy")

    def have_a_day() -> None:
        store = Store(settings.store_db)
        fill(store, settings)
        store.close()

    return have_a_day


def emulate(browser: WebDriver, *, width: int, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def test_every_panel_fills_by_itself(
    browser: WebDriver, busy_address: str, have_a_day: Callable[[], None], clock: Any
) -> None:
    """From an empty shop to a busy afternoon and on to the next morning, script and server write the same page."""
    browser.get(f"{busy_address}/?lang=en")
    wait_for(browser, "visitors", "–")
    have_a_day()
    wait_for(browser, "waiting.figure", "3")
    wait_until_same(browser, busy_address, "?lang=en")
    assert browser.find_elements(By.CSS_SELECTOR, ".heat .heat-4")[0].get_attribute("d")
    clock.now = AFTERNOON + timedelta(days=1)
    wait_until_same(browser, busy_address, "?lang=en")
    assert logged(browser, "browser") == []
    assert requested_hosts(browser) == {urlsplit(busy_address).netloc}


OUTLINE = """
const named = e => [e.getAttribute('aria-label') ?? '', ...(e.getAttribute('aria-labelledby') ?? '').split(' ')
  .filter(Boolean).map(id => document.getElementById(id)?.textContent ?? '')].join('').trim();
const shown = e => e.checkVisibility({visibilityProperty: true});
const all = q => [...document.querySelectorAll(q)].filter(shown);
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
return {
  levels: all('h1,h2,h3,h4').map(e => +e.localName[1]),
  twice: ids.filter((id, i) => ids.indexOf(id) !== i),
  nameless: all('section,nav,[role]:not([role=status]):not([role=alert]),svg')
    .filter(e => !e.closest('[aria-hidden]') && !named(e)).map(e => e.outerHTML.slice(0, 120)),
  headless: all('table').filter(t => !t.querySelector('thead th[scope=col]') || [...t.tBodies[0].rows]
    .some(r => !r.querySelector('th[scope=row]'))).length,
  loose: all('main *').filter(e => e.localName === 'li' && !['UL', 'OL'].includes(e.parentElement.tagName)).length,
  silent: all('a,summary,button').filter(e => !e.textContent.trim()).length,
  small: all('a,summary,button').filter(e => !e.matches('.skip') && e.getBoundingClientRect().height < 24).length,
};
"""


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_everybody_can_find_their_way(
    browser: WebDriver, busy_address: str, have_a_day: Callable[[], None], language: str
) -> None:
    """Headings in order, every region and picture named, tables with headers, nothing to press that says nothing."""
    have_a_day()
    browser.get(f"{busy_address}/?lang={language}")
    found = browser.execute_script(OUTLINE)
    assert found["levels"][0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(found["levels"]))
    assert {name: value for name, value in found.items() if name != "levels" and value} == {}


CONTRAST = """
const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = colour => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
  return [...paint.getImageData(0, 0, 1, 1).data]; };
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
  if (c[3] === 255) return c; } return rgba(getComputedStyle(document.body).backgroundColor); };
const poor = [];
const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (words.nextNode()) {
  const e = words.currentNode.parentElement;
  if (!words.currentNode.data.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest('svg,.unseen')) continue;
  const [a, b] = [light(rgba(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(words.currentNode.data.trim());
}
return poor;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_readable(
    browser: WebDriver, busy_address: str, have_a_day: Callable[[], None], scheme: str
) -> None:
    """As Chromium paints it, by day and by night, each text stands out from its ground by 4.5 to 1 (WCAG 2.2 AA)."""
    have_a_day()
    emulate(browser, width=1180, scheme=scheme)
    browser.get(f"{busy_address}/?lang=en")
    assert browser.execute_script(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 1920])
def test_a_busy_shop_fits(browser: WebDriver, busy_address: str, have_a_day: Callable[[], None], width: int) -> None:
    """From a small phone to a wall nothing is wider than the page, and no figure is wider than its card."""
    have_a_day()
    emulate(browser, width=width)
    spills = """return document.documentElement.scrollWidth > document.documentElement.clientWidth ||
      [...document.querySelectorAll('.card')].some(card => card.scrollWidth > card.clientWidth + 1)"""
    for language in ("en", "zh-CN"):
        browser.get(f"{busy_address}/?lang={language}")
        WebDriverWait(browser, PATIENCE_S, 0.2).until(lambda it: not it.execute_script(spills), "something spills over")


@pytest.mark.parametrize("width", [360, 768, 1180])
def test_nothing_sticks_out(browser: WebDriver, address: str, remember: Callable[..., None], width: int) -> None:
    """From phone to tablet the page scrolls down only, even with names that have no gaps."""
    remember([Crossing(NOON, "camera-" + "x" * 33, "line-" + "y" * 35, "in"), ZoneEntered(NOON, "z" * 40)])
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    sticks_out = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for language in ("en", "zh-CN"):
        browser.get(f"{address}/?lang={language}")
        # On a busy machine the emulated width takes a moment to reach the page.
        settled = WebDriverWait(browser, PATIENCE_S, 0.2)
        settled.until(lambda it: it.execute_script(sticks_out) == 0, "something sticks out")
