"""Every page there is: axe finds nothing, nothing sticks out, everything can be hit, and all is said in one language.

One pass over the pages looks for everything at once. The slow tests take every size, language, width and scheme by itself.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from kiosk_browser import SIZES, Shopper, every_page, open_shopper
from kiosk_visits import read_qr

pytestmark = pytest.mark.timeout(600)

WIDTHS = [360, 390, 768, 1024, 1280, 1920]
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll("a, button, summary, label.tick, input[type=text], textarea, .switch-row")]
  .filter((it) => it.checkVisibility() && !it.classList.contains("skip") && !it.classList.contains("unseen"))
  .map((it) => [it.outerHTML.slice(0, 80), it.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44).map(([html, box]) => `${box.width}x${box.height} ${html}`)"""
LOOK = "([size, contrast]) => Object.assign(document.documentElement.dataset, { size, contrast })"
ENHANCED = {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}}
HAN = re.compile(r"[\u4e00-\u9fff]+")


def named(response: dict[str, Any]) -> list[str]:
    """What axe has found, each rule with where."""
    return [f"{rule['id']}: {node['html'][:120]}" for rule in response["violations"] for node in rule["nodes"]]


def violations(page: Any) -> list[str]:
    """What axe finds with all its rules, best practice included."""
    return named(Axe().run(page).response)


def faint(page: Any) -> list[str]:
    """Text that stands out by less than 7 to 1 (WCAG 2.2, 1.4.6 AAA); axe is on the page already."""
    return named(page.evaluate("(options) => axe.run(document, options)", ENHANCED))


def out_of_place(page: Any, *, width: int) -> list[str]:
    """What makes the page scroll sideways at this width, and targets of less than 44 px."""
    page.set_viewport_size({"width": width, "height": 800})
    too_wide = [f"{width}: too wide"] if page.evaluate(TOO_WIDE) > 0 else []
    return too_wide + [f"{width}: {small}" for small in page.evaluate(SMALL)]


def strange_words(shopper: Shopper, language: str) -> list[str]:
    """What shows that the page is not, or not wholly, in its language."""
    told = shopper.page.locator("html").get_attribute("lang")
    wrong = [] if told == language else [f"lang is {told}"]
    chinese = HAN.findall(shopper.page.locator("main").inner_text())
    if language == "en":
        return wrong + chinese
    return wrong if chinese else [*wrong, "not a word of Chinese"]


def look(page: Any, size: str = "normal", contrast: str = "normal") -> None:
    """Let the page look so, as the buttons at its top do."""
    page.evaluate(LOOK, [size, contrast])


@pytest.mark.parametrize(("size", "language", "scheme"), [("phone", "en", "light"), ("tablet", "zh-CN", "dark")])
def test_every_page_is_for_everybody(chromium: Any, shop: Any, size: str, language: str, scheme: str) -> None:
    """No violation of axe's rules; 7 to 1 in high contrast; large type without sideways scrolling, targets of 44 px."""
    shopper = open_shopper(chromium, shop.kiosk, size=size, language=language)
    page, (width, height), seen = shopper.page, SIZES[size], {}
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for name in every_page(shopper, read_qr=read_qr):
        found = violations(page) + strange_words(shopper, language)
        look(page, contrast="high")
        found += faint(page)
        look(page, size="large")
        found += [one for width in (WIDTHS[0], WIDTHS[-1]) for one in out_of_place(page, width=width)]
        look(page)
        page.set_viewport_size({"width": width, "height": height})
        seen[name] = found
    shopper.context.close()
    assert len(seen) > 20
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_axe_finds_nothing(chromium: Any, shop: Any, size: str, language: str, scheme: str) -> None:
    """No violation of any of axe's rules, on tablet and phone, in both languages, by day and by night."""
    shopper = open_shopper(chromium, shop.kiosk, size=size, language=language)
    shopper.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    seen = {name: violations(shopper.page) for name in every_page(shopper, read_qr=read_qr)}
    shopper.context.close()
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_high_contrast_is_enhanced(chromium: Any, shop: Any, scheme: str) -> None:
    """Asked for by the button, high contrast holds on every page, large type included, and axe finds nothing there either."""
    shopper = open_shopper(chromium, shop.kiosk)
    shopper.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    shopper.open("/?contrast=high&size=large")
    seen = {name: violations(shopper.page) + faint(shopper.page) for name in every_page(shopper, read_qr=read_qr)}
    shopper.context.close()
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_nothing_sticks_out_at_any_width(chromium: Any, shop: Any, language: str) -> None:
    """From phone to large screen, in the large type that the button asks for."""
    shopper = open_shopper(chromium, shop.kiosk, language=language)
    shopper.open("/?size=large")
    seen = {
        name: [one for width in WIDTHS for one in out_of_place(shopper.page, width=width)]
        for name in every_page(shopper, read_qr=read_qr)
    }
    shopper.context.close()
    assert {name: found for name, found in seen.items() if found} == {}
