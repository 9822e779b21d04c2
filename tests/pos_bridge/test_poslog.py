"""POSLog samples of our own making, after what tills in the field write: each is the sale it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.errors import MessageRejected
from edge.messages import PosTransaction
from edge.pos_bridge.native import sale_from
from edge.pos_bridge.reading import read_transaction
from edge.pos_bridge.sale import Sale
from edge.pos_bridge.sales import fact_of

SAMPLES = Path(__file__).parent / "samples"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def transaction(payload: bytes, *, till: str = "till-1") -> PosTransaction:
    return read_transaction(payload, till=till, received_at=NOW, timezone=BERLIN)


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def sale(name: str) -> Sale:
    return sale_from(transaction(sample(name)))


def figures(one: Sale) -> tuple[str, int, int, int, int]:
    return one.kind, one.units, one.total_minor, one.tax_minor, one.discount_minor


def refusal(payload: bytes) -> MessageRejected:
    with pytest.raises(MessageRejected) as refused:
        transaction(payload)
    return refused.value


def test_a_sale_of_version_6() -> None:
    """Modifiers apart, tax in the prices, a voided line left out, ribbon by the metre one piece, the vendor's own ignored."""
    one = sale("sale_6")
    assert figures(one) == ("sale", 3, 9222, 1472, 998)
    assert one.by_tender == {"card": 9222}
    assert one.tenders[0].reference == "A1B2C3"
    assert one.captured_at == datetime(2026, 3, 2, 9, 15, 0, 456789, tzinfo=UTC)
    assert [line.sku for line in one.lines] == ["SHIRT-OXFORD-M", "RIBBON"]


def test_a_sale_of_version_2_2() -> None:
    """Tax on top, change given, a line taken back by a Void item, and a time that is the shop's."""
    one = sale("sale_2_2")
    assert figures(one) == ("sale", 1, 2706, 206, 0)
    assert one.by_tender == {"cash": 2706}
    assert one.net_minor == 2500
    assert one.captured_at == datetime(2026, 3, 2, 6, 20, 14, tzinfo=BERLIN)


def test_a_return() -> None:
    """Everything negative, and what it refers to."""
    one = sale("return")
    assert figures(one) == ("return", -1, -4491, -717, 0)
    assert one.by_tender == {"card": -4491}
    assert one.reference == "0412-3-20260302-20817"
    fact = fact_of(one, till="till-1", at=NOW)
    assert fact is not None
    assert (fact.returned_units, fact.returned_minor) == (1, 4491)


def test_a_void_of_a_whole_transaction() -> None:
    """What it undoes is taken off; nothing of it is a return."""
    one = sale("void")
    assert figures(one) == ("void", -2, -9222, -1472, 0)
    assert one.by_tender == {"card": -9222}
    assert one.reference == "3/2026-03-02/20817"
    assert one.returned == ()


def test_mixed_tenders() -> None:
    """Five ways to pay, change, cash back, a discount of the whole slip, and cash rounded by what is written as a tender."""
    one = sale("mixed_tender")
    assert figures(one) == ("sale", 1, 119903, 0, 10000)
    assert one.by_tender == {"gift_card": 20000, "wechat_pay": 30000, "alipay": 9900, "card": 50000, "cash": 10000}
    assert one.rounding_minor == -3
    assert one.captured_at.isoformat() == "2026-03-02T11:58:00+08:00"


def test_an_exchange_of_a_member_in_a_session() -> None:
    """Some goods out, others back, money paid out; the customer is there, and in no repr."""
    one = sale("exchange_of_a_member")
    assert figures(one) == ("sale", 2, -4100, 0, 0)
    assert one.by_tender == {"cash": -4100}
    assert one.session == "482913"
    assert one.customer is not None
    assert one.customer.model_dump(exclude_none=True) == {
        "name": "Erika Mustermann",
        "phone": "+49 030 23125000",
        "email": "erika@example.com",
        "member_number": "M-10442",
    }
    shown = repr(one) + repr(transaction(sample("exchange_of_a_member")))
    assert not re.search("Erika|23125000|example|10442|482913|SOCKS", shown)


def test_a_cancelled_transaction_has_no_money() -> None:
    """It is counted as what it is."""
    one = sale("cancelled")
    assert figures(one) == ("cancelled", 0, 0, 0, 0)
    assert one.lines == one.tenders == ()


def test_training_is_no_sale() -> None:
    """The flag of the transaction is heeded."""
    trained = sample("sale_2_2").replace(b"<poslog:Transaction>", b'<poslog:Transaction TrainingModeFlag="true">')
    assert fact_of(sale_from(transaction(trained)), till="till-1", at=NOW) is None


def test_a_repetition_is_the_same_message() -> None:
    """The id follows from what numbers the transaction, not from the bytes; a void and another till have their own."""
    again = sample("sale_6").replace(b"    <", b"<").replace(b"<v:Shelf>A-12</v:Shelf>", b"")
    assert transaction(again).message_id == transaction(sample("sale_6")).message_id
    others = [
        transaction(sample("sale_6"), till="till-2"),
        transaction(sample("sale_6").replace(b'"Finished"', b'"PostVoided"')),
        transaction(sample("sale_6").replace(b"20817", b"20818")),
        transaction(sample("sale_6").replace(b"2026-03-02</B", b"2026-03-03</B")),
        transaction(sample("sale_6").replace(b"<SequenceNumber>20817</SequenceNumber>", b"")),
        *(transaction(sample(name)) for name in ("return", "void", "cancelled", "sale_2_2")),
    ]
    ids = {one.message_id for one in others} | {transaction(sample("sale_6")).message_id}
    assert len(ids) == len(others) + 1
    assert {one.version for one in ids} == {5}


def test_undoing_a_return_takes_the_money_in_again() -> None:
    """A void of returned goods adds what the return took off."""
    undone = sample("return").replace(b"<RetailTransaction>", b'<RetailTransaction TransactionStatus="PostVoided">')
    one, back = sale_from(transaction(undone)), sale("return")
    assert (one.kind, one.units, one.total_minor) == ("void", -back.units, -back.total_minor)
    assert one.tax_minor == -back.tax_minor
    assert one.by_tender == {kind: -amount for kind, amount in back.by_tender.items()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"POSLog", b"Receipt"), "not-poslog"),
        ((b"</Transaction>", b"</Transaction><Transaction/>"), "not-poslog"),
        ((b"RetailTransaction", b"ControlTransaction"), "not-a-sale"),
        ((b'"Finished"', b'"Suspended"'), "not-a-sale"),
        ((b"92.22</Total>", b"92.23</Total>"), "invalid"),
        ((b'<Amount Currency="EUR">92.22</Amount>', b"<Amount>92.21</Amount>"), "invalid"),
        ((b'<Amount Currency="EUR">92.22</Amount>', b"<Amount>92.220001</Amount>"), "invalid"),
        ((b'<ExtendedAmount Currency="EUR">99.80', b'<ExtendedAmount Currency="USD">99.80'), "invalid"),
        ((b"<CurrencyCode>EUR</CurrencyCode>", b"<CurrencyCode>4111</CurrencyCode>"), "invalid"),
        ((b">2</Quantity>", b">two</Quantity>"), "invalid"),
        ((b">2</Quantity>", b">1e999999</Quantity>"), "invalid"),
        ((b"2026-03-02T10:15:00.4567891+01:00", b"yesterday"), "invalid"),
        ((b"ExtendedAmount", b"ExtendedAmounts"), "invalid"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(change: tuple[bytes, bytes], reason: str) -> None:
    """In a word, without a letter of the payload."""
    payload = sample("sale_6").replace(*change)
    assert payload != sample("sale_6")
    refused = refusal(payload)
    assert refused.reason == reason
    assert not re.search("4111|92[.]2|yesterday|1e999999", str(refused))


def test_without_anything_that_numbers_it_a_transaction_is_refused() -> None:
    """It could not be told from its repetition."""
    bare = re.sub(rb"<(SequenceNumber|TransactionID|BusinessDayDate)>[^<]*</\1>", b"", sample("sale_6"))
    assert refusal(bare).reason == "no-identity"


def test_a_void_without_lines_is_refused() -> None:
    """What it takes back cannot be known: the box keeps no sales, only sums."""
    void = re.sub(rb"<RetailTransaction.*</RetailTransaction>", b"<TransactionVoid/>", sample("void"), flags=re.DOTALL)
    assert refusal(void).reason == "not-a-sale"
    assert "lines" in str(refusal(void))


def test_everything_said_can_be_cleaned_before_it_is_looked_at() -> None:
    """The cleaner sees names, attributes and text of every element, the vendor's too, and what it returns is what counts."""
    seen: list[str] = []

    def clean(value: object) -> object:
        if isinstance(value, str):
            seen.append(value)
            return value.replace("SHIRT-OXFORD-M", "(cleaned)").replace("20817", "(number)")
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items()}
        return [clean(one) for one in value] if isinstance(value, list) else value

    one = read_transaction(sample("sale_6"), till="till-1", received_at=NOW, timezone=BERLIN, clean=clean)
    assert {"A-12", "SPRING", "Cashier", "Oxford shirt", "A1B2C3"} <= set(seen)
    assert one.lines[0].sku == "(cleaned)"
    assert one.message_id == transaction(sample("sale_6")).message_id
