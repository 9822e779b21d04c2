"""The way through the pages over HTTP: what is asked, what is written down, what comes back."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from edge.consent.kiosk.figures import SignShown, TodayShown
from edge.consent.purposes import PurposeBook
from edge.sealed.sealing import open_sealed


def kinds(kiosk: Any, code: str) -> list[str]:
    """The ledger's entries about whoever has `code`, as kind and purpose."""
    subject = kiosk.registry.by_code(code)
    return [f"{entry.kind} {entry.purpose or ''}".strip() for entry in kiosk.registry.history(subject)]


def test_the_first_page_says_what_is_measured(visitor: Any) -> None:
    """Figures, sign, the three ways on and the mood buttons are on it; a handful of people is not told apart."""
    page = visitor.get("/").text
    assert "1,284" in page
    assert "under 5" in page
    assert "Staff last checked it on 3 June 2026" in page
    assert all(f'href="{way}"' in page for way in ("/here/choose", "/find", "/here/ask", "/about"))
    assert len(re.findall(r'name="level" value="[1-5]"', page)) == 5


def test_an_unread_record_is_no_zero(make_kiosk: Callable[..., Any]) -> None:
    """Where nothing can be read the page claims no figure."""
    visitor = make_kiosk(figures=lambda: None).visitor()
    assert "No figures at the moment" in visitor.get("/").text
    assert visitor.client.get("/api/today").json() == {"entered": "–", "inside": "–", "as_of": ""}


def test_a_lapsed_sign_is_said(make_kiosk: Callable[..., Any], kiosk: Any) -> None:
    """Whoever reads the page learns that part of the shop is not counting."""
    off = TodayShown(kiosk.clock(), 10, 5, 1, (SignShown("Entrance", None, False),))
    visitor = make_kiosk(figures=lambda: off).visitor()
    assert "Counting is off in part of the shop" in visitor.get("/").text
    assert "Entrance: not counting" in visitor.get("/about").text


def test_nothing_is_ticked_beforehand(visitor: Any, kiosk: Any) -> None:
    """Each individual purpose has a switch of its own, and every one is off."""
    page = visitor.get("/here/choose").text
    switches = re.findall(r"<input class=\"switch\"[^>]*>", page)
    assert [re.findall(r'value="(\w+)"', switch)[0] for switch in switches] == [
        purpose.id for purpose in kiosk.purposes.individual()
    ]
    assert not any("checked" in switch for switch in switches)


def test_a_yes_is_written_down_with_what_was_shown(visitor: Any, kiosk: Any) -> None:
    """Yes to one: the ledger holds the notices shown, the yes, a no to every other, and the receipt."""
    visitor.allow("in_store_offers")
    refused = {f"refused {one.id}" for one in kiosk.purposes.individual()} - {"refused in_store_offers"}
    assert set(kinds(kiosk, visitor.code)) == {"shown", "granted in_store_offers", "receipt", *refused}
    shown = kiosk.registry.history(kiosk.registry.by_code(visitor.code))[0].details
    assert shown["language"] == "en"
    assert shown["channel"] == "kiosk"


def test_a_no_is_as_easy_as_a_yes(visitor: Any, kiosk: Any) -> None:
    """One tap refuses all, whatever is switched on; no age is asked and no code has to be kept."""
    visitor.get("/here/choose")
    answer = visitor.send("/here/choose", allow=["in_store_offers"], answer="none")
    assert answer.url.path == "/nothing"
    assert 'class="code"' not in visitor.page
    entries = kiosk.registry.history(kiosk.only_subject())
    assert {entry.kind for entry in entries} == {"shown", "refused", "receipt"}


def test_body_data_need_a_second_yes(visitor: Any, kiosk: Any) -> None:
    """The mirror's purpose is confirmed on a page of its own; a no there leaves it out and keeps the rest."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["size_recommendation", "in_store_offers"], answer="chosen")
    answer = visitor.send("/here/age", age="adult")
    assert answer.url.path == "/here/confirm"
    assert "Why this is sensitive" in visitor.page
    visitor.send("/here/confirm", purpose="size_recommendation", answer="no")
    assert "granted in_store_offers" in kinds(kiosk, visitor.code)
    assert "refused size_recommendation" in kinds(kiosk, visitor.code)


def test_confirming_cannot_be_skipped(visitor: Any, kiosk: Any) -> None:
    """Asking for the receipt before the separate yes leads nowhere, and nothing is written down."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["size_recommendation"], answer="chosen")
    visitor.send("/here/age", age="adult")
    assert visitor.get("/here/receipt").url.path == "/"
    visitor.get("/here/confirm")
    visitor.send("/here/confirm", purpose="in_store_offers", answer="yes")
    assert visitor.get("/here/receipt").url.path == "/"


def test_a_child_needs_a_guardian(visitor: Any, kiosk: Any) -> None:
    """Under 14 nothing goes on without a parent's or guardian's tick and word, which the ledger holds."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["in_store_offers"], answer="chosen")
    answer = visitor.send("/here/age", age="under-14")
    assert answer.url.path == "/here/guardian"
    answer = visitor.send("/here/guardian", answer="parent")
    assert answer.url.path == "/here/guardian"
    assert "only a parent or guardian can agree" in visitor.page
    visitor.send("/here/guardian", answer="guardian", present="yes")
    entries = kiosk.registry.history(kiosk.registry.by_code(visitor.code))
    assert [entry.details["relation"] for entry in entries if entry.kind == "guardian"] == ["guardian"]


def test_a_child_without_a_guardian_allows_nothing(visitor: Any, kiosk: Any) -> None:
    """Leaving it out at the guardian's page is a no."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["in_store_offers"], answer="chosen")
    visitor.send("/here/age", age="under-14")
    assert visitor.send("/here/guardian", answer="stop").url.path == "/nothing"
    assert "granted" not in {entry.kind for entry in kiosk.registry.history(kiosk.only_subject())}


def _book(**changes: Any) -> PurposeBook:
    """The shipped purposes with fields of `in_store_offers` changed."""
    toml = files("edge.consent").joinpath("purposes.toml").read_text("utf-8")
    table = tomllib.loads(toml)["purposes"]
    shipped = PurposeBook.load()
    changed = type(shipped.purpose("in_store_offers")).model_validate(
        {**table["in_store_offers"], "id": "in_store_offers", **changes}
    )
    return PurposeBook(changed if one.id == "in_store_offers" else one for one in shipped)


def test_a_stricter_age_needs_a_guardian_at_seventeen(make_kiosk: Callable[..., Any]) -> None:
    """Where a purpose wants 18, somebody of 14 to 17 may leave it out and keep the rest."""
    kiosk = make_kiosk(purposes=_book(minimum_age=18))
    visitor = kiosk.visitor()
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["in_store_offers", "member_link"], answer="chosen")
    assert visitor.send("/here/age", age="14-17").url.path == "/here/guardian"
    visitor.send("/here/guardian", answer="stop")
    assert "granted member_link" in kinds(kiosk, visitor.code)
    assert "refused in_store_offers" in kinds(kiosk, visitor.code)


def test_the_code_opens_the_page_and_takes_back(visitor: Any, kiosk: Any) -> None:
    """The next visitor with the code sees what is allowed, and one tap takes one of it back."""
    visitor.allow("in_store_offers", "member_link")
    other = kiosk.visitor()
    other.get("/find")
    answer = other.send("/find", code=visitor.code.lower().replace("-", " "))
    assert answer.url.path == "/here"
    assert other.page.count(">Take back</button>") == 2
    other.send("/here/withdraw", purpose="in_store_offers")
    assert "Taken back. It stopped at this moment." in other.page
    assert other.page.count(">Take back</button>") == 1
    assert "withdrawn in_store_offers" in kinds(kiosk, visitor.code)


def test_everything_is_taken_back_at_once(visitor: Any) -> None:
    """One tap withdraws all."""
    visitor.allow("in_store_offers", "member_link")
    visitor.get("/here")
    visitor.send("/here/withdraw")
    assert "You allow nothing at the moment" in visitor.page


def test_the_qr_code_opens_the_own_page(kiosk: Any) -> None:
    """What the QR code says is the shopper's page, which needs no cookie and sets none."""
    phone = kiosk.visitor()
    answer = phone.get(kiosk.link("in_store_offers"))
    assert answer.status_code == 200
    assert "Offers that suit you" in phone.page
    assert not phone.client.cookies
    assert "/reset" not in phone.page


def test_a_scanned_address_works_in_the_code_field(kiosk: Any) -> None:
    """A scanner that types the QR code's address opens the page at the kiosk."""
    link = kiosk.link("in_store_offers")
    visitor = kiosk.visitor()
    visitor.get("/find")
    assert visitor.send("/find", code=f"http://shop.example:8081{link}").url.path == "/here"


def test_giving_more_keeps_the_code(kiosk: Any) -> None:
    """On the phone a shopper may allow more; the receipt stays good, and what was agreed is not asked again."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(f"{link}/choose")
    assert 'value="in_store_offers"' not in phone.page
    phone.send(f"{link}/choose", allow=["member_link"], answer="chosen")
    answer = phone.send(f"{link}/age", age="adult")
    assert answer.url.path == link
    assert "Saved." in phone.page
    assert phone.page.count(">Take back</button>") == 2


def test_a_short_code_counts_down_and_ends(kiosk: Any) -> None:
    """Six digits appear for ten minutes; ended, they are gone."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(link)
    phone.send(f"{link}/short-code")
    assert re.search(r">\d{3} \d{3}</p>", phone.page)
    assert 'data-seconds="600"' in phone.page
    phone.send(f"{link}/end-short-code")
    assert not re.search(r">\d{3} \d{3}</p>", phone.page)


def test_no_short_code_for_nothing(kiosk: Any) -> None:
    """Whoever allows nothing gets no code for it, and is told why."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(link)
    phone.send(f"{link}/withdraw")
    phone.send(f"{link}/short-code")
    assert "You need to allow something first" in phone.page


def test_a_new_receipt_voids_the_old_one(kiosk: Any) -> None:
    """A phone moves on to its new link; the old one opens nothing."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(link)
    answer = phone.send(f"{link}/new-receipt")
    assert answer.url.path.endswith("/receipt")
    assert phone.code
    assert phone.get(link).status_code == 404


def test_erasing_says_how_far_it_is(kiosk: Any) -> None:
    """Each stage shows on the shopper's page when it has come, and the typed code opens nothing any more."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    assert "cannot be undone" in phone.get(f"{link}/erase").text
    phone.send(f"{link}/erase")
    assert phone.page.count('<li class="done">') == 2
    for progress, done in (("queued", 2), ("delivered", 3), ("destroyed", 4)):
        kiosk.progress[0] = progress
        assert phone.get(link).text.count('<li class="done">') == done
    assert "data-waiting" not in phone.page


def test_the_record_comes_along(kiosk: Any) -> None:
    """A phone gets the records as JSON-LD and as a page without links; that it did is written down."""
    link = kiosk.link("in_store_offers", "size_recommendation")
    phone = kiosk.visitor()
    phone.get(link)
    (record,) = json.loads(phone.post(f"{link}/record.jsonld", token=phone.token).content)
    assert record["@type"] == "dpv:ConsentRecord"
    readable = phone.post(f"{link}/record.html", token=phone.token)
    assert readable.headers["content-disposition"] == 'attachment; filename="consent.html"'
    assert "Offers that suit you" in readable.text
    assert not re.search(r"<(a|img|link|script|form)\b", readable.text)
    assert phone.get(f"{link}/history").text.count("Your record was handed out to you") == 2


def test_the_kiosk_keeps_no_files(visitor: Any) -> None:
    """Downloads are for one's own phone: at the kiosk they would lie there for the next."""
    visitor.allow("in_store_offers")
    visitor.get("/here")
    assert "this screen keeps no files" in visitor.page
    assert visitor.post("/here/record.jsonld", token=visitor.token).status_code == 404


def test_a_question_is_sealed_and_answered(visitor: Any, kiosk: Any) -> None:
    """Words go to headquarters' key alone; the asker gets a code, and the answer shows on the page it opens."""
    visitor.get("/here/ask")
    visitor.send("/here/ask", kind="complaint", words="Too many cameras?", contact="")
    assert "You get an answer by 18 June 2026" in visitor.page
    code = visitor.code
    (ticket,) = kiosk.registry.tickets(kiosk.registry.by_code(code))
    assert ticket.kind == "complaint"
    assert b"Too many cameras" not in b"".join(path.read_bytes() for path in kiosk.settings.state.glob("consent*"))
    assert opened(kiosk) == {"language": "en", "words": "Too many cameras?"}
    kiosk.registry.answer_ticket(ticket.id, "Two of them.\nNeither knows you.")
    visitor.get("/here")
    assert "Two of them.\nNeither knows you." in visitor.page


def opened(kiosk: Any) -> dict[str, str]:
    """The one question, as headquarters reads it."""
    ((sealed,),) = kiosk.rows("SELECT sealed FROM tickets")
    return json.loads(open_sealed(sealed, key=kiosk.hq_key, store="linden", purpose="ticket"))


def test_contact_needs_its_own_yes(visitor: Any, kiosk: Any) -> None:
    """Contact without the tick is refused and the words stay; with it, age is asked, and both are kept."""
    visitor.get("/here/ask")
    visitor.send("/here/ask", words="Who?", contact="a@b.example")
    assert "Tick it, or clear the field" in visitor.page
    assert ">Who?</textarea>" in visitor.page
    answer = visitor.send("/here/ask", words="Who?", contact="a@b.example", contact_ok="yes")
    assert answer.url.path == "/here/age"
    visitor.send("/here/age", age="adult")
    assert "granted feedback_contact" in kinds(kiosk, visitor.code)
    assert opened(kiosk)["contact"] == "a@b.example"


def test_a_child_may_ask_without_contact(visitor: Any, kiosk: Any) -> None:
    """Without a guardian the contact is left out, and the question still goes."""
    visitor.get("/here/ask")
    visitor.send("/here/ask", words="Who?", contact="a@b.example", contact_ok="yes")
    visitor.send("/here/age", age="under-14")
    visitor.send("/here/guardian", answer="stop")
    assert "Your question is on its way" in visitor.page
    assert "contact" not in opened(kiosk)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"words": "  \x00 "}, "Please write your question"),
        ({"words": "x" * 1001}, "That is too long"),
        ({"words": "?", "contact_ok": "yes"}, "You ticked that we may reach you"),
    ],
)
def test_what_is_missing_is_said(visitor: Any, fields: dict[str, str], said: str) -> None:
    """A question that cannot be taken says why, and nothing is lost."""
    visitor.get("/here/ask")
    assert visitor.send("/here/ask", **fields).url.path == "/here/ask"
    assert said in visitor.page


def test_without_headquarters_key_no_words_are_taken(make_kiosk: Callable[..., Any]) -> None:
    """What could not be sealed is not asked for; a form sent all the same is refused."""
    visitor = make_kiosk(questions=False).visitor()
    visitor.get("/here/choose")
    assert "Please ask our staff" in visitor.get("/here/ask").text
    assert "<textarea" not in visitor.page
    visitor.send("/here/ask", words="Who?")
    assert 'class="code"' not in visitor.page


def test_a_mood_is_counted_once(visitor: Any, kiosk: Any) -> None:
    """A button pressed twice in a hurry counts once; after a while it counts again."""
    visitor.get("/")
    visitor.send("/mood", level=5)
    assert "Your button was counted" in visitor.page
    visitor.send("/mood", level=1)
    kiosk.clock.now += timedelta(seconds=4)
    visitor.send("/mood", level=2)
    assert kiosk.moods == [5, 2]


def test_a_changed_notice_asks_again(make_kiosk: Callable[..., Any], kiosk: Any) -> None:
    """After the words have changed the page says so, the switch is off, and the old yes can still be taken back."""
    link = kiosk.link("in_store_offers")
    kiosk.registry.close()
    phone = make_kiosk(purposes=_book(consent_days=9), state=kiosk.settings.state).visitor()
    page = phone.get(link).text
    assert "The text has changed" in page
    assert "Look and decide again" in page
    assert page.count(">Take back</button>") == 1


def test_a_purpose_that_is_asked_no_more_can_be_taken_back(make_kiosk: Callable[..., Any], kiosk: Any) -> None:
    """A shop that drops a purpose still shows who agreed to it what that was, and a button."""
    link = kiosk.link("in_store_offers")
    kiosk.registry.close()
    rest = PurposeBook(one for one in PurposeBook.load() if one.id != "in_store_offers")
    phone = make_kiosk(purposes=rest, state=kiosk.settings.state).visitor()
    assert "Offers that suit you" in phone.get(link).text
    phone.send(f"{link}/withdraw", purpose="in_store_offers")
    assert "Offers that suit you" not in phone.page
    assert phone.get(f"{link}/history").status_code == 200
    assert phone.post(f"{link}/record.html", token=phone.token).status_code == 200


def test_switches_outlast_another_language(visitor: Any) -> None:
    """Whoever changes the language halfway keeps what was switched on, and what was written."""
    visitor.get("/here/choose")
    visitor.send("/here/choose", allow=["member_link"], look="lang=zh-CN")
    assert "选择您同意的内容" in visitor.page
    assert re.search(r'value="member_link"[^>]*checked', visitor.page)
    visitor.get("/here/ask")
    visitor.send("/here/ask", words="为什么？", kind="complaint", look="lang=en")
    assert ">为什么？</textarea>" in visitor.page
    assert re.search(r'value="complaint"[^>]*checked', visitor.page)
    assert "Ask or complain" in visitor.page
