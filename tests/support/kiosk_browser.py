"""A shopper's way through the kiosk in a real Chromium, tap by tap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["CHROMIUM", "SIZES", "Shopper", "every_page", "open_shopper"]

CHROMIUM = Path("/usr/bin/chromium")
SIZES = {"tablet": (1280, 800), "phone": (390, 844)}


@dataclass
class Shopper:
    """Somebody with a browser, whose taps are counted and whose requests are watched."""

    context: BrowserContext
    page: Page
    address: str
    taps: int = 0
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Go to an address."""
        self.page.goto(self.address + path)

    def tap(self, selector: str, *, nth: int = 0) -> None:
        """Tap something that can be seen."""
        self.page.locator(selector).nth(nth).click()
        self.page.wait_for_load_state()
        self.taps += 1

    def text(self) -> str:
        """What the page says."""
        return self.page.locator("body").inner_text()

    def allow(self, *purposes: str, age: str = "adult") -> None:
        """From the first page to the receipt."""
        self.open("/")
        self.tap("a.way.first")
        for purpose in purposes:
            self.tap(f"input[value={purpose}]")
        self.tap("button[name=answer][value=chosen]")
        self.tap(f"button[value='{age}']")
        while self.page.url.endswith("/confirm"):
            self.tap("button[value=yes]")

    @property
    def code(self) -> str:
        """The code on the receipt."""
        return self.page.locator(".code").inner_text()

    def qr(self) -> str:
        """The picture in the receipt's QR code, fetched as the page fetched it."""
        return str(self.page.evaluate("fetch(document.querySelector('.qr').src).then((answer) => answer.text())"))


def open_shopper(
    browser: Browser, address: str, *, size: str = "tablet", language: str = "en", scripts: bool = True
) -> Shopper:
    """A new browser profile of that size and language."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        has_touch=True,
        is_mobile=size == "phone",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    shopper = Shopper(context, page, address)
    page.on("console", lambda told: shopper.complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: shopper.complaints.append(str(error)))
    page.on("request", lambda request: shopper.hosts.add(request.url.split("/")[2]))
    return shopper


def every_page(shopper: Shopper, *, read_qr: Callable[[str], str]) -> Iterator[str]:
    """Stop at every page there is, and name it; the receipt's link is opened as a phone would."""
    for name, path in {"home": "/", "about": "/about", "find": "/find", "nothing": "/nothing"}.items():
        shopper.open(path)
        yield name
    shopper.open("/find")
    shopper.page.fill("#code", "7KQM-2XPD")
    shopper.tap("main .button")
    yield "a wrong code"
    shopper.open("/here/choose")
    shopper.tap("summary")
    yield "choose"
    shopper.tap("button[value=chosen]")
    yield "nothing switched on"
    shopper.tap("input[value=size_recommendation]")
    shopper.tap("input[value=in_store_offers]")
    shopper.tap("button[value=chosen]")
    yield "age"
    shopper.tap("button[value=under-14]")
    yield "guardian"
    shopper.tap("[name=present]")
    shopper.tap("button[value=parent]")
    yield "confirm"
    shopper.tap("button[value=yes]")
    yield "receipt"
    link = read_qr(shopper.qr())
    yield from _own_pages(shopper, "/here", where="kiosk")
    yield from _own_pages(shopper, link.removeprefix(shopper.address), where="phone")
    shopper.open("/my/" + "x" * 22)
    yield "no such page"


def _own_pages(shopper: Shopper, base: str, *, where: str) -> Iterator[str]:
    shopper.open(base)
    yield f"own page, {where}"
    shopper.tap("#short-code .button")
    yield f"short code, {where}"
    shopper.open(f"{base}/history")
    yield f"history, {where}"
    shopper.open(f"{base}/ask")
    yield f"ask, {where}"
    shopper.page.fill("#words", "Is my face stored?")
    shopper.tap("form#ask .button")
    yield f"asked, {where}"
    if where == "kiosk":
        return
    shopper.tap("main .take-back")
    yield "taken back"
    shopper.open(f"{base}/choose")
    yield "allow more"
    shopper.open(f"{base}/erase")
    yield "erase"
    shopper.tap("main .take-back")
    yield "erased"
