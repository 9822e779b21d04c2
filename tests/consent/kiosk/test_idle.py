"""A kiosk that is left alone goes home and leaves nothing behind, with a script and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kiosk_browser import Shopper, open_shopper

pytestmark = pytest.mark.timeout(600)
IDLE_S = 10


@pytest.fixture(scope="module")
def hasty(make_shop: Callable[..., Any]) -> Any:
    """A shop whose kiosk forgets after ten seconds."""
    return make_shop(idle_s=IDLE_S)


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def shopper(request: pytest.FixtureRequest, chromium: Any, hasty: Any) -> Iterator[Shopper]:
    """Somebody who has just allowed something and sees the receipt."""
    shopper = open_shopper(chromium, hasty.kiosk, scripts=request.param)
    shopper.allow("in_store_offers")
    yield shopper
    shopper.context.close()


def test_left_alone_the_kiosk_forgets(shopper: Shopper) -> None:
    """From the receipt it goes home by itself; back and forward show no code, and no cookie of the visit is left."""
    code = shopper.code
    cookies = {cookie["value"] for cookie in shopper.context.cookies()}
    shopper.page.wait_for_url(f"{shopper.address}/", timeout=60_000)
    assert not cookies & {cookie["value"] for cookie in shopper.context.cookies()}
    assert shopper.page.locator("h1").inner_text() == "What this shop knows about you is up to you"
    for _ in range(6):
        shopper.page.go_back()
        assert code not in shopper.page.content()
        assert "You allowed" not in shopper.page.content()
    for path in ("/here", "/here/receipt", "/here/history"):
        shopper.open(path)
        assert shopper.page.url == f"{shopper.address}/"


def test_the_words_of_the_last_visitor_are_gone(chromium: Any, hasty: Any) -> None:
    """What somebody wrote and did not send is not there for the next."""
    shopper = open_shopper(chromium, hasty.kiosk)
    shopper.open("/here/ask")
    shopper.page.fill("#words", "nearly sent")
    shopper.page.wait_for_url(f"{shopper.address}/", timeout=60_000)
    shopper.page.go_back()
    shopper.open("/here/ask")
    assert shopper.page.locator("#words").input_value() == ""
    shopper.context.close()


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
