"""Somebody who means harm: forged forms, planted cookies, guessed codes, words that would like to be a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import edge.consent.kiosk
from edge.consent.kiosk.desk import VISIT_COOKIE
from edge.consent.kiosk.look import LOOK_COOKIE
from edge.serving.headers import CONTENT_SECURITY_POLICY

HERE = Path(edge.consent.kiosk.__file__).parent
SCRIPT = "<script>alert(1)</script>\"'{{7*7}}<img src=x onerror=alert(1)>"
FIELDS = {
    "answer": "chosen", "age": "adult", "purpose": "in_store_offers", "code": "7KQM-2XPD", "level": "3", "words": "Hm?",
    "allow": "in_store_offers", "kind": "question", "present": "yes",
}  # fmt: skip
WITHOUT_TOKEN = {"/still-here"}
"""Says nothing but that somebody is there, and changes nothing."""


def forms(kiosk: Any, *, link: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every form that the pages have, as path and fields."""
    document = httpx.get(f"{kiosk.address}/openapi.json", trust_env=False).json()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        if "post" not in methods or path in WITHOUT_TOKEN:
            continue
        content = methods["post"]["requestBody"]["content"]
        (schema,) = [content[kind]["schema"]["$ref"].rpartition("/")[2] for kind in content]
        known = schemas[schema]["properties"]
        fields = {name: value for name, value in FIELDS.items() if name in known}
        if schema in {"ConfirmForm", "GuardianForm"}:
            fields["answer"] = {"ConfirmForm": "yes", "GuardianForm": "parent"}[schema]
        yield path.replace("/my/{link}", link), fields


def test_every_form_needs_a_token_of_its_own_page(kiosk: Any) -> None:
    """CSRF: no form of any page does anything without the token, with another visitor's, or with one made up."""
    link = kiosk.link("in_store_offers", "member_link")
    victim, attacker = kiosk.visitor(), kiosk.visitor()
    victim.allow("member_link")
    attacker.get("/here/choose")
    before = kiosk.rows("SELECT max(seq) FROM ledger")
    tried = 0
    for path, fields in forms(kiosk, link=link):
        for token in ({}, {"token": ""}, {"token": attacker.token}, {"token": "0" * 64}, {"token": "\u00e9" * 64}):
            answer = victim.post(path, **fields, **token)
            assert answer.status_code == 403, (path, token)
            tried += 1
    assert tried >= 5 * 25
    assert kiosk.rows("SELECT max(seq) FROM ledger") == before
    assert kiosk.moods == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_names_another_site_is_refused(visitor: Any, kiosk: Any, site: str) -> None:
    """Even with the right token, a form sent from another site or another port does nothing."""
    visitor.get("/")
    visitor.client.headers["Sec-Fetch-Site"] = site
    assert visitor.send("/mood", level=1).status_code == 403
    assert kiosk.moods == []


def test_cookies_are_closed_to_scripts_and_other_sites(visitor: Any) -> None:
    """Both cookies are HttpOnly and SameSite=Strict, and end with the browser's session."""
    first = visitor.client.get("/?lang=zh-CN")
    cookies = first.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {VISIT_COOKIE, LOOK_COOKIE}
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "expires" not in cookie.lower()
        assert "max-age" not in cookie.lower()


def test_over_tls_cookies_stay_there(visitor: Any) -> None:
    """Behind a proxy that ends TLS the cookies are Secure."""
    answer = visitor.client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["set-cookie"]


PAGES = ["/", "/about", "/find", "/nothing", "/here/choose", "/here/ask", "/healthz", "/openapi.json", "/nowhere"]


@pytest.mark.parametrize("path", [*PAGES, "/static/kiosk.js", "/my/" + "x" * 22, "/reset", "/api/today"])
def test_every_answer_forbids(visitor: Any, path: str) -> None:
    """Clickjacking and more: each answer forbids frames, foreign code, sniffing, referrers and keeping."""
    headers = visitor.client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_words_stay_words(make_kiosk: Callable[..., Any]) -> None:
    """XSS: what shoppers write, what headquarters answers and what the shop is called are text wherever they appear."""
    kiosk = make_kiosk(store={"id": "linden", "name": SCRIPT, "timezone": "UTC"})
    visitor = kiosk.visitor()
    visitor.get("/here/ask")
    visitor.send("/here/ask", words=SCRIPT, contact=SCRIPT)  # no tick, so both come back
    assert visitor.page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;{{7*7}}&lt;img") >= 3
    assert_harmless(visitor.page)
    visitor.send("/here/ask", words=SCRIPT)
    assert_harmless(visitor.page)
    (ticket,) = kiosk.registry.tickets(kiosk.only_subject())
    kiosk.registry.answer_ticket(ticket.id, SCRIPT)
    assert "&lt;script&gt;" in visitor.get("/here").text
    assert_harmless(visitor.page)


@pytest.mark.parametrize("path", ["/?lang=", "/?size=", "/here/choose?contrast=", "/my/", "/here/", "/"])
def test_addresses_stay_addresses(visitor: Any, path: str) -> None:
    """Nothing of an address is repeated on a page."""
    answer = visitor.client.get(path + SCRIPT.replace("/", "%2F"))
    assert "alert" not in answer.text
    assert_harmless(answer.text)


def assert_harmless(page: str) -> None:
    """No script or image of anybody's but ours, no handler, no template evaluated."""
    assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)|<img(?![^>]*\bsrc=\"/)|<style|\sstyle=|javascript:", page)
    assert not re.search(r"<[^>]*\son[a-z]+=(?![^<]*&gt;)", page)
    assert "49" not in re.sub(r"[0-9a-f]{12,64}", "", page)


def test_nothing_inline_and_nothing_foreign(visitor: Any) -> None:
    """Pages need no inline script or style, and neither they nor their files name another host."""
    for path in PAGES[:6]:
        page = visitor.get(path).text
        assert_harmless(page)
        assert not re.search(r"""(?:href|src|action)=["'](?![/#?])""", page)
    for name in ("kiosk.css", "kiosk.js", "icon.svg"):
        text = (HERE / "static" / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]+\.[a-z]|url\(|@import|innerHTML|eval\(|document\.write", text)


def answer_to(kiosk: Any, code: str) -> tuple[int, str, str]:
    """What somebody new is told about a code."""
    visitor = kiosk.visitor()
    visitor.get("/find")
    sent = visitor.client.post("/find", data={"token": visitor.token, "code": code})
    page = re.sub(r"[0-9a-f]{64}", "", visitor.get(sent.headers["location"]).text)
    return sent.status_code, sent.headers["location"], page


def test_a_wrong_code_and_an_old_one_are_answered_alike(kiosk: Any) -> None:
    """Enumeration: wrong, voided, expired and nonsensical codes and links get the same words, bit for bit."""
    replaced, erased, old = kiosk.visitor(), kiosk.visitor(), kiosk.visitor()
    codes = ["7KQM-2XPD", "", "é" * 300, "x" * 22]
    for visitor in (replaced, erased, old):
        visitor.allow("size_recommendation")
        codes.append(visitor.code)
        visitor.get("/here")
    replaced.send("/here/new-receipt")
    erased.send("/here/erase")
    kiosk.clock.now += timedelta(days=400)
    answers = set()
    for code in codes:
        kiosk.clock.now += timedelta(minutes=5)
        answers.add(answer_to(kiosk, code))
    assert len(answers) == 1


def test_guessing_ends_after_five_tries(kiosk: Any) -> None:
    """The sixth code from one address is not even looked up, be it right; another address and time are free again."""
    owner = kiosk.visitor()
    owner.allow("in_store_offers")
    thief = kiosk.visitor()
    thief.get("/find")
    for _ in range(5):
        thief.send("/find", code="7KQM-2XPD")
    assert "No page opens with this code" in thief.page
    assert thief.send("/find", code=owner.code).url.path == "/find"
    assert "too many wrong codes" in thief.page
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=kiosk.address, transport=elsewhere) as client:
        token = re.findall(r'name="token" value="(\w+)"', client.get("/find").text)[0]
        answer = client.post("/find", data={"token": token, "code": owner.code})
        assert answer.headers["location"] == "/here"
    kiosk.clock.now += timedelta(minutes=5)
    assert thief.send("/find", code=owner.code).url.path == "/here"


def test_right_codes_are_no_tries(kiosk: Any) -> None:
    """Whoever opens their own page often is not locked out of it."""
    owner = kiosk.visitor()
    owner.allow("in_store_offers")
    code = owner.code
    for _ in range(8):
        owner.get("/find")
        assert owner.send("/find", code=code).url.path == "/here"


def test_a_planted_cookie_opens_nothing(kiosk: Any) -> None:
    """Session fixation: a visit that comes to belong to somebody has a key that nobody had before."""
    planted = "A" * 43
    victim = kiosk.visitor()
    victim.client.cookies.set(VISIT_COOKIE, planted, domain="127.0.0.1", path="/")
    victim.allow("in_store_offers")
    code, mine = victim.code, victim.client.cookies[VISIT_COOKIE]
    assert mine != planted
    thief = kiosk.visitor()
    thief.client.cookies.set(VISIT_COOKIE, planted, domain="127.0.0.1", path="/")
    assert thief.get("/here/receipt").url.path == "/"
    victim.get("/find")
    victim.send("/find", code=code)
    assert victim.client.cookies[VISIT_COOKIE] not in {planted, mine}
    thief.client.cookies.set(VISIT_COOKIE, mine, domain="127.0.0.1", path="/")
    assert thief.get("/here").url.path == "/"


def test_keys_change_when_the_visit_begins_to_remember(kiosk: Any) -> None:
    """A cookie that came with the first request never becomes the key of anything."""
    visitor = kiosk.visitor()
    visitor.get("/here/choose")
    first = visitor.client.cookies[VISIT_COOKIE]
    visitor.send("/here/choose", allow=["member_link"], answer="chosen")
    assert visitor.client.cookies[VISIT_COOKIE] != first


def test_silence_is_forgotten_by_the_box_too(kiosk: Any) -> None:
    """A browser that was switched off cannot forget; after three idle times the box does."""
    visitor = kiosk.visitor()
    visitor.allow("in_store_offers")
    kiosk.clock.now += timedelta(seconds=3 * kiosk.settings.kiosk.idle_s)
    assert visitor.get("/here").url.path == "/here"
    kiosk.clock.now += timedelta(seconds=3 * kiosk.settings.kiosk.idle_s + 1)
    assert visitor.get("/here").url.path == "/"


def test_the_end_leaves_nothing(visitor: Any) -> None:
    """Going home takes both cookies away, and the old one opens nothing."""
    visitor.allow("in_store_offers")
    visitor.get("/here?lang=zh-CN")
    key = visitor.client.cookies[VISIT_COOKIE]
    left = visitor.client.get("/reset")
    assert left.headers["location"] == "/"
    assert not visitor.client.cookies
    visitor.client.cookies.set(VISIT_COOKIE, key, domain="127.0.0.1", path="/")
    assert visitor.get("/here").url.path == "/"


@pytest.mark.parametrize("host", ["evil.example", "shop.example.evil.example", "shop.example:8081@evil.example", ""])
def test_other_names_are_refused(visitor: Any, host: str) -> None:
    """DNS rebinding: a request for a name that is not the shop's gets 421, and no cookie."""
    answer = visitor.client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


def test_the_public_name_is_let_in(visitor: Any) -> None:
    """Phones come by the name in the QR code."""
    assert visitor.client.get("/", headers={"Host": "shop.example:8081"}).status_code == 200


def test_long_bodies_are_refused(visitor: Any, kiosk: Any) -> None:
    """More than 32 KiB gets 413, said beforehand or sent in pieces, and the box goes on."""
    visitor.get("/here/ask")
    big = {"token": visitor.token, "words": "x" * 40_000}
    assert visitor.client.post("/here/ask", data=big).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield f"token={visitor.token}&words=".encode()
        for _ in range(100):
            yield b"x" * 1000

    header = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.client.post("/here/ask", content=pieces(), headers=header).status_code == 413
    assert visitor.client.get("/").status_code == 200


@pytest.mark.parametrize(
    "wish", ["lang=//evil.example", "next=https://evil.example", "lang=en&next=/", "lang=en\r\nX: y"]
)
def test_no_way_out(visitor: Any, wish: str) -> None:
    """Open redirect: nothing in a form or address chooses where one is sent."""
    visitor.get("/here/choose")
    answer = visitor.client.post("/here/choose", data={"token": visitor.token, "look": wish})
    assert answer.status_code == 422
    assert "location" not in answer.headers
    for path in ("/here", "/here/receipt", "/reset", "/here/age"):
        for query in ("?next=https://evil.example", "?lang=//evil.example", "?url=//evil.example"):
            answer = visitor.client.get(path + query)
            assert re.fullmatch(r"/(here/choose)?", answer.headers["location"])


@pytest.mark.parametrize("link", ["x" * 22, "x", "x" * 5000, "\u00e9" * 22, "A" * 22 + "/choose"])
def test_no_page_can_be_guessed(visitor: Any, link: str) -> None:
    """A link that is not right opens nothing, however it looks."""
    answer = visitor.client.get(f"/my/{link}")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers or "threshold_visit" not in answer.headers["set-cookie"]


def test_an_old_form_on_a_phone_leads_back_to_its_page(kiosk: Any) -> None:
    """After a restart of the box a page that was open says so, and its button opens the shopper's page anew."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    answer = phone.post(f"{link}/withdraw", token="0" * 64)
    assert answer.status_code == 403
    assert f'class="button" href="{link}"' in answer.text


def test_a_phone_link_gives_no_kiosk(kiosk: Any) -> None:
    """Opening somebody's link does not make the browser's kiosk visit theirs."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(link)
    assert phone.get("/here").url.path == "/"


def test_a_broken_registry_is_a_page(visitor: Any, kiosk: Any) -> None:
    """When nothing can be written down the shopper is told that nothing was, with 503."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["in_store_offers"], answer="chosen")
    kiosk.registry.close()
    answer = visitor.send("/here/age", age="adult")
    assert answer.status_code == 503
    assert "Nothing was saved, and nothing was allowed" in visitor.page
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
