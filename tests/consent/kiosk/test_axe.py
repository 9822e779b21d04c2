"""axe finds nothing to complain of on any page, in both languages, on tablet and phone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from kiosk_browser import SIZES, every_page, open_shopper
from kiosk_visits import read_qr

pytestmark = pytest.mark.timeout(600)


def violations(page: Any, **options: Any) -> list[str]:
    """What axe finds, each rule with where."""
    found = Axe().run(page, options=options or None).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_axe_finds_nothing(chromium: Any, shop: Any, language: str, size: str) -> None:
    """No violation of any of axe's rules, best practice included."""
    shopper = open_shopper(chromium, shop.kiosk, size=size, language=language)
    seen = {name: violations(shopper.page) for name in every_page(shopper, read_qr=read_qr)}
    shopper.context.close()
    assert len(seen) > 20
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_high_contrast_is_enhanced(chromium: Any, shop: Any, scheme: str) -> None:
    """In high contrast every text stands out by 7 to 1 (WCAG 2.2, 1.4.6 AAA), by day and by night."""
    shopper = open_shopper(chromium, shop.kiosk)
    shopper.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    shopper.open("/?contrast=high&size=large")
    enhanced = {"rules": {"color-contrast-enhanced": {"enabled": True}}}
    seen = {name: violations(shopper.page, **enhanced) for name in every_page(shopper, read_qr=read_qr)}
    shopper.context.close()
    assert {name: found for name, found in seen.items() if found} == {}
