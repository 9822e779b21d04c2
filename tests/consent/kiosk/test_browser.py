"""The kiosk and the shopper's own page in a real Chromium, served by a real `threshold web`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kiosk_browser import Shopper, open_shopper
from kiosk_visits import read_qr

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def enter(chromium: Any, shop: Any) -> Iterator[Callable[..., Shopper]]:
    """A function that lets somebody in; at the end nobody has seen an error or asked another host."""
    shoppers: list[Shopper] = []

    def enter(address: str = "", **traits: Any) -> Shopper:
        shoppers.append(open_shopper(chromium, address or shop.kiosk, **traits))
        return shoppers[-1]

    yield enter
    for shopper in shoppers:
        shopper.context.close()
        assert [told for told in shopper.complaints if "status of 404" not in told] == []
        assert len(shopper.hosts) == 1


def taken_back(phone: Shopper) -> bool:
    """Whether the page says so and no switch is on."""
    return phone.page.locator(".said p").count() == 1 and phone.page.locator(".row.on").count() == 0


@pytest.mark.parametrize(
    ("language", "purpose"),
    [
        ("en", "size_recommendation"),
        ("zh-CN", "in_store_offers"),
        pytest.param("en", "in_store_offers", marks=pytest.mark.slow),
        pytest.param("zh-CN", "size_recommendation", marks=pytest.mark.slow),
    ],
)
def test_taking_back_takes_no_more_taps_than_giving(enter: Callable[..., Shopper], language: str, purpose: str) -> None:
    """Grant at the kiosk, scan, take back on the phone: fewer taps, the scan counted as one; by code at the kiosk, too."""
    shopper = enter(language=language)
    shopper.allow(purpose)
    granting, code, link = shopper.taps, shopper.code, read_qr(shopper.qr())
    phone = enter(size="phone", language=language)
    phone.page.goto(link)
    phone.taps += 1
    assert phone.page.locator(".row.on").count() == 1
    phone.tap(".row.on .take-back")
    assert taken_back(phone)
    assert phone.taps <= granting

    again = enter(language=language)
    again.allow(purpose)
    granting, code = again.taps, again.code
    again.open("/reset")
    again.taps = 0
    again.tap("a.way", nth=1)
    again.page.fill("#code", code)
    again.tap("main .button")
    again.tap(".row.on .take-back")
    assert taken_back(again)
    assert again.taps <= granting


def test_taking_everything_back_is_one_tap(enter: Callable[..., Shopper]) -> None:
    """All purposes go with one tap on the phone, and the short code goes with them."""
    shopper = enter()
    shopper.allow("in_store_offers", "member_link")
    phone = enter(size="phone")
    phone.page.goto(read_qr(shopper.qr()))
    phone.tap("#short-code .button")
    assert re.fullmatch(r"\d{3} \d{3}", phone.code)
    phone.taps = 0
    phone.tap(".answers .take-back")
    assert taken_back(phone)
    assert phone.taps == 1
    assert phone.page.locator("#short-code").count() == 0


def test_refusing_all_is_as_easy_as_agreeing(enter: Callable[..., Shopper]) -> None:
    """From the start two taps say no to everything, by a button as large as the one that agrees."""
    shopper = enter()
    shopper.open("/")
    shopper.tap("a.way.first")
    no, yes = (shopper.page.locator(f"button[value={value}]").bounding_box() for value in ("none", "chosen"))
    assert no is not None
    assert yes is not None
    assert (no["width"], no["height"]) == pytest.approx((yes["width"], yes["height"]), abs=1)
    styles = [
        shopper.page.locator(f"button[value={value}]").evaluate(
            "(it) => { const s = getComputedStyle(it); return [s.color, s.backgroundColor, s.fontSize, s.borderColor] }"
        )
        for value in ("none", "chosen")
    ]
    assert styles[0] == styles[1]
    shopper.tap("button[value=none]")
    assert shopper.taps == 2
    assert "You allowed nothing" in shopper.text()


def test_a_child_comes_with_a_guardian(enter: Callable[..., Shopper]) -> None:
    """Under 14 the guardian reads, ticks and agrees, and the history on the child's page says so."""
    shopper = enter()
    shopper.allow("in_store_offers", age="under-14")
    assert "A parent or guardian, please" in shopper.text()
    shopper.tap("button[value=parent]")
    assert "Please tick the box first" in shopper.text()
    shopper.tap("[name=present]")
    shopper.tap("button[value=parent]")
    assert shopper.code
    shopper.open("/here/history")
    assert "A parent or guardian agreed" in shopper.text()


def test_one_tap_changes_the_language(enter: Callable[..., Shopper]) -> None:
    """The first choice is the browser's; one tap changes it, switches stay as they are, and the end of the visit forgets."""
    shopper = enter(language="zh-CN")
    shopper.open("/")
    assert "让本店知道什么，由您决定" in shopper.text()
    shopper.tap(".tools a[lang=en]")
    assert "What this shop knows about you is up to you" in shopper.text()
    shopper.tap("a.way.first")
    shopper.tap("input[value=member_link]")
    shopper.tap(".tools button[lang='zh-CN']")
    assert "选择您同意的内容" in shopper.text()
    assert shopper.page.locator("input[value=member_link]").is_checked()
    shopper.tap(".tools button[lang=en]")
    shopper.tap("footer a[href='/reset']")
    shopper.page.wait_for_url("**/")
    assert "让本店知道什么，由您决定" in shopper.text()
    assert shopper.context.cookies() == [] or all(
        cookie["name"] == "threshold_visit" for cookie in shopper.context.cookies()
    )


@pytest.mark.parametrize("apart_ms", [0, 10, 20])
def test_a_double_tap_is_one_tap(enter: Callable[..., Shopper], apart_ms: int) -> None:
    """Whoever taps the last yes twice in a hurry sees the receipt all the same, and has agreed once."""
    shopper = enter()
    shopper.open("/here/choose")
    shopper.tap("input[value=in_store_offers]")
    shopper.tap("button[value=chosen]")
    yes = "document.querySelector('button[value=adult]')"
    shopper.page.evaluate(f"() => {{ const yes = {yes}; yes.click(); setTimeout(() => yes.click(), {apart_ms}) }}")
    shopper.page.wait_for_url("**/receipt")
    assert shopper.code
    shopper.open("/here/history")
    assert shopper.text().count("You allowed: ") == 1


def test_large_type_and_high_contrast(enter: Callable[..., Shopper]) -> None:
    """One tap makes type larger, one makes contrast high, and both stay for the visit."""
    shopper = enter()
    shopper.open("/")
    size = "parseFloat(getComputedStyle(document.querySelector('.lead')).fontSize)"
    before = shopper.page.evaluate(size)
    shopper.tap(".tools a[href='?size=large']")
    assert shopper.page.evaluate(size) >= 1.2 * before
    shopper.tap(".tools a[href='?contrast=high']")
    assert shopper.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    shopper.open("/about")
    assert shopper.page.locator("html").get_attribute("data-size") == "large"
    assert shopper.page.locator("html").get_attribute("data-contrast") == "high"


def test_wrong_codes(enter: Callable[..., Shopper]) -> None:
    """A wrong code says so and nothing more; after five the page asks to wait, whatever is typed."""
    owner = enter()
    owner.allow("in_store_offers")
    code = owner.code
    thief = enter()
    for _ in range(5):
        thief.open("/find")
        thief.page.fill("#code", "7KQM-2XPD")
        thief.tap("main .button")
        assert "No page opens with this code" in thief.text()
    thief.page.fill("#code", code)
    thief.tap("main .button")
    assert "too many wrong codes" in thief.text()
    assert "Offers" not in thief.text()


def test_the_back_button_after_the_end_shows_nothing(enter: Callable[..., Shopper]) -> None:
    """Finish, then back and back again: no receipt, no choices, no code."""
    shopper = enter()
    shopper.allow("in_store_offers")
    code = shopper.code
    shopper.tap("main a[href='/here']")
    shopper.tap("footer a[href='/reset']")
    shopper.page.wait_for_url("**/")
    for _ in range(8):
        shopper.page.go_back()
        seen = shopper.text() + shopper.page.content()
        assert code not in seen
        assert "Take back" not in seen
        assert "Allowed since" not in seen


def test_the_keyboard_is_enough(enter: Callable[..., Shopper]) -> None:
    """From the first page to the receipt with Tab, space and Enter alone; the first stop skips to the page."""
    shopper = enter()
    page = shopper.page
    shopper.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"

    def tab_to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"the keyboard does not reach {selector}")

    tab_to("a.way.first")
    page.keyboard.press("Enter")
    page.wait_for_url("**/choose")
    tab_to("input[value=member_link]")
    page.keyboard.press("Space")
    tab_to("button[value=chosen]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/age")
    tab_to("button[value=adult]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/receipt")
    assert "Check in as a member" in shopper.text()


def test_enter_in_a_field_sends_the_form(enter: Callable[..., Shopper]) -> None:
    """Enter in a field sends what was written; it does not change the language, whose buttons stand first."""
    shopper = enter()
    shopper.open("/here/ask")
    shopper.page.fill("#words", "Who sees the pictures?")
    shopper.page.locator("#contact").press("Enter")
    shopper.page.wait_for_url("**/receipt")
    assert "Your question is on its way" in shopper.text()


def test_nobody_can_frame_the_page(enter: Callable[..., Shopper], shop: Any) -> None:
    """Clickjacking: in a frame of another page nothing of ours is shown."""
    shopper = enter()
    shopper.page.route(
        "http://evil.test/",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<iframe src="{shop.kiosk}/here/choose" width=900 height=600></iframe>'
        ),
    )
    shopper.page.goto("http://evil.test/")
    frame = shopper.page.frames[1]
    assert "Choose what you allow" not in frame.content()
    shopper.complaints.clear()
    shopper.hosts = {"evil"}


def test_another_site_cannot_send_our_forms(enter: Callable[..., Shopper], shop: Any) -> None:
    """CSRF: a form on another site comes without cookie and token, and is refused."""
    shopper = enter()
    shopper.allow("in_store_offers")
    form = f'<form method=post action="{shop.kiosk}/here/withdraw"><button>Win a prize</button></form>'
    shopper.page.route("http://evil.test/", lambda route: route.fulfill(content_type="text/html", body=form))
    shopper.page.goto("http://evil.test/")
    shopper.tap("button")
    assert "This did not work" in shopper.text()
    shopper.open("/here")
    assert shopper.page.locator(".row.on").count() == 1
    shopper.complaints.clear()
    shopper.hosts = {"evil"}


def test_the_log_knows_nobody(enter: Callable[..., Shopper], shop: Any) -> None:
    """No code, no link, no word that was written is in what the process logs."""
    shopper = enter()
    shopper.allow("in_store_offers")
    link = read_qr(shopper.qr()).rpartition("/")[2]
    code = shopper.code
    shopper.open(f"/my/{link}/ask")
    shopper.page.fill("#words", "Remarkable words")
    shopper.tap("form#ask .button")
    assert not any(secret in shop.log for secret in (link, code, "Remarkable"))
