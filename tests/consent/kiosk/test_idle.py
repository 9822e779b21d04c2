"""A kiosk that is left alone goes home and leaves nothing behind, with a script and without.

Everybody who walks away does so at the start, so that all wait at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kiosk_browser import Shopper, open_shopper

pytestmark = pytest.mark.timeout(600)
IDLE_S = 10


@dataclass
class Left:
    """A screen that somebody has walked away from: what stood on it, and which cookies it had."""

    shopper: Shopper
    code: str
    cookies: set[str]


@pytest.fixture(scope="module")
def hasty(make_shop: Callable[..., Any]) -> Any:
    """A shop whose kiosk forgets after ten seconds."""
    return make_shop(idle_s=IDLE_S)


@pytest.fixture(scope="module")
def left_alone(chromium: Any, hasty: Any) -> Iterator[dict[str, Left]]:
    """Three who have walked away: from the receipt with a script and without, and from words half written."""
    left = {name: receipt_left(chromium, hasty, scripts=name == "script") for name in ("script", "no script")}
    writer = open_shopper(chromium, hasty.kiosk)
    writer.open("/here/ask")
    writer.page.fill("#words", "nearly sent")
    yield {**left, "words": Left(writer, "", set())}
    for one in (*left.values(), Left(writer, "", set())):
        one.shopper.context.close()


def receipt_left(chromium: Any, hasty: Any, *, scripts: bool) -> Left:
    """Somebody who has allowed something and leaves the receipt on the screen."""
    shopper = open_shopper(chromium, hasty.kiosk, scripts=scripts)
    shopper.allow("in_store_offers")
    return Left(shopper, shopper.code, {cookie["value"] for cookie in shopper.context.cookies()})


@pytest.mark.usefixtures("left_alone")
def test_somebody_who_is_still_there_is_asked_first(chromium: Any, hasty: Any) -> None:
    """Before it forgets, the page asks and counts down; a tap keeps the visit, on the box as well."""
    shopper = open_shopper(chromium, hasty.kiosk)
    shopper.allow("in_store_offers")
    for _ in range(2):
        shopper.page.locator("dialog[open]").wait_for()
        assert "Are you still there?" in shopper.text()
        assert " s left" in shopper.page.locator("#idle-left").inner_text()
        shopper.tap("dialog button")
        assert shopper.page.locator("dialog[open]").count() == 0
    shopper.tap("main a[href='/here']")
    assert shopper.page.locator(".row.on").count() == 1
    shopper.context.close()


@pytest.mark.parametrize("name", ["script", "no script"])
def test_left_alone_the_kiosk_forgets(left_alone: dict[str, Left], name: str) -> None:
    """From the receipt it goes home by itself; back and forward show no code, and no cookie of the visit is left."""
    left = left_alone[name]
    shopper = left.shopper
    shopper.page.wait_for_url(f"{shopper.address}/", timeout=60_000)
    assert not left.cookies & {cookie["value"] for cookie in shopper.context.cookies()}
    assert shopper.page.locator("h1").inner_text() == "What this shop knows about you is up to you"
    for _ in range(6):
        shopper.page.go_back()
        assert left.code not in shopper.page.content()
        assert "You allowed" not in shopper.page.content()
    for path in ("/here", "/here/receipt", "/here/history"):
        shopper.open(path)
        assert shopper.page.url == f"{shopper.address}/"


def test_the_words_of_the_last_visitor_are_gone(left_alone: dict[str, Left]) -> None:
    """What somebody wrote and did not send is not there for the next."""
    shopper = left_alone["words"].shopper
    shopper.page.wait_for_url(f"{shopper.address}/", timeout=60_000)
    shopper.page.go_back()
    shopper.open("/here/ask")
    assert shopper.page.locator("#words").input_value() == ""
