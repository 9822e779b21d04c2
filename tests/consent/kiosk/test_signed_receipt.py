"""The signed receipt: from the shopper's own page to whoever checks it with `threshold consent verify --receipt`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.cli import run
from edge.consent.receipt import MAX_RECEIPT_BYTES, ReceiptInvalid, verify_receipt

OTHER_ACT = "00000000-0000-4000-8000-000000000000"


def downloaded(kiosk: Any, link: str, **fields: str) -> Any:
    """A phone opens its page and taps the button; the answer."""
    phone = kiosk.visitor()
    phone.get(link)
    return phone.post(f"{link}/receipt.json", token=phone.token, **fields)


@pytest.fixture
def receipt(kiosk: Any) -> bytes:
    """A receipt of somebody who has just allowed offers."""
    return bytes(downloaded(kiosk, kiosk.link("in_store_offers")).content)


@pytest.fixture
def verify(kiosk: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function that checks a file as the officer of `kiosk`, or of another shop."""

    def verify(content: bytes, *words: str, shop: Any = kiosk) -> tuple[int, str, str]:
        file = tmp_path / "receipt.json"
        file.write_bytes(content)
        state = shop.settings.state
        (state / "store.toml").write_text('[store]\nid = "linden"\n', "utf-8")
        status = run(["consent", "verify", "--state", str(state), "--receipt", str(file), *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return verify


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_phone_takes_its_receipt_home(kiosk: Any, language: str) -> None:
    """The page offers it in both languages; it holds, and that it was handed out is written down."""
    link = kiosk.link("in_store_offers", "size_recommendation")
    phone = kiosk.visitor(**{"Accept-Language": language})
    page = phone.get(link).text
    assert {"en": "Download your signed receipt", "zh-CN": "下载已签名的回执"}[language] in page
    answer = phone.post(f"{link}/receipt.json", token=phone.token)
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.json"'
    found = verify_receipt(answer.content, kiosk.keyring.verify_keys())
    given = {event.purpose_id for event in found.record.events if event.event_state == "given"}
    assert given == {"in_store_offers", "size_recommendation"}
    history = kiosk.registry.history(kiosk.only_subject())
    assert [entry.kind for entry in history].count("exported") == 1


def test_each_act_has_its_receipt(kiosk: Any) -> None:
    """The page gives the last decision's; the history one for each; an act of somebody else gives none."""
    link = kiosk.link("in_store_offers")
    phone = kiosk.visitor()
    phone.get(link)
    phone.send(f"{link}/withdraw", purpose="in_store_offers")
    keys = kiosk.keyring.verify_keys()
    phone.get(f"{link}/history")
    acts = re.findall(r'name="act" value="([^"]+)"', phone.page)
    assert len(acts) == 2

    def states(**fields: str) -> set[str]:
        found = verify_receipt(downloaded(kiosk, link, **fields).content, keys)
        return {event.event_state for event in found.record.events if event.purpose_id == "in_store_offers"}

    assert states() == states(act=acts[0]) == {"withdrawn"}
    assert states(act=acts[1]) == {"given"}
    assert downloaded(kiosk, link, act=OTHER_ACT).status_code == 404
    assert downloaded(kiosk, link, act="../keyring").status_code == 422


def test_who_decided_nothing_has_no_receipt(kiosk: Any) -> None:
    """A question alone makes a page, but no record."""
    visitor = kiosk.visitor()
    visitor.get("/here/ask")
    visitor.send("/here/ask", kind="question", words="How many cameras?", contact="")
    link = kiosk.registry.issue_codes(kiosk.only_subject(), channel="kiosk").link
    assert downloaded(kiosk, f"/my/{link}").status_code == 404


def test_the_kiosk_hands_out_no_receipt_file(visitor: Any) -> None:
    """It would lie on the shop's screen for the next."""
    visitor.allow("in_store_offers")
    visitor.get("/here/history")
    assert "receipt.json" not in visitor.page
    visitor.get("/here")
    assert visitor.post("/here/receipt.json", token=visitor.token).status_code == 404


def test_without_the_pages_token_there_is_none(kiosk: Any) -> None:
    """Another site cannot have it downloaded."""
    link = kiosk.link("in_store_offers")
    assert kiosk.visitor().post(f"{link}/receipt.json").status_code == 403


def test_a_good_receipt_is_said_to_be_good(receipt: bytes, verify: Callable[..., tuple[int, str, str]]) -> None:
    """One line: which key, when, who, what."""
    status, out, err = verify(receipt)
    assert (status, err, out.count("\n")) == (0, "", 1)
    assert out.startswith("good: signed by this box's key ")
    assert "in_store_offers given" in out
    told = json.loads(verify(receipt, "--json")[1])
    assert told["subject"] in out
    assert told["receipt_id"] == json.loads(receipt)["receipt_id"]


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        (lambda content: content.replace(b'"given"', b'"refused"', 1), "altered after it was signed"),
        (lambda content: content[:-20], "not a receipt"),
        (lambda _: b"", "not a receipt"),
        (lambda content: content + b" " * MAX_RECEIPT_BYTES, "too large"),
    ],
)
def test_a_forged_receipt_is_refused_in_one_line(
    receipt: bytes,
    verify: Callable[..., tuple[int, str, str]],
    forged: Callable[[bytes], bytes],
    says: str,
) -> None:
    """Exit 1, and a line that says what is wrong with it."""
    status, out, err = verify(forged(receipt))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert says in err


def test_another_shops_receipt_is_not_ours(
    receipt: bytes, verify: Callable[..., tuple[int, str, str]], make_kiosk: Callable[..., Any]
) -> None:
    """A receipt that another box has signed is whole, and still not this shop's."""
    status, out, err = verify(receipt, shop=make_kiosk())
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "signed by a key that is not this box's" in err


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_passes(kiosk: Any, receipt: bytes, at: float, bit: int) -> None:
    """Whatever bit of the file is flipped, it is a receipt no more."""
    flipped = bytearray(receipt)
    flipped[int(at * len(flipped))] ^= 1 << bit
    with pytest.raises(ReceiptInvalid):
        verify_receipt(bytes(flipped), kiosk.keyring.verify_keys())
