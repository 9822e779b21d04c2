"""Tills at the door: JSON or POSLog by what it holds, read for the till that the topic names."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from till_shop import reader_of, till_settings

from edge.bus.dead_letters import dead_letter_of
from edge.bus.inbound import Inbound
from edge.errors import MessageRejected
from edge.messages import PosTransaction
from edge.pos_bridge.reading import read_transaction

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "pos_bridge" / "samples" / "sale_6.xml").read_bytes()
SALE = {
    "message_id": str(uuid4()),
    "captured_at": NOW.isoformat(),
    "currency": "EUR",
    "lines": [{"sku": "tee", "quantity": 1, "total_minor": 1999}],
    "total_minor": 1999,
}


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    config = till_settings(tmp_path_factory.mktemp("shop"))
    return Inbound.of(config, read_transaction=reader_of(config))


def take(door, payload, *, till="till-1"):
    topic = f"threshold/v1/shop-1/pos/{till}/transaction"
    return door.take(topic, payload, received_at=NOW, receipt=None)


@pytest.mark.parametrize("payload", [json.dumps(SALE).encode(), SAMPLE, b"\xef\xbb\xbf\n" + SAMPLE.split(b"\n", 1)[1]])
def test_both_forms_are_transactions(door, payload):
    """With or without a byte order mark."""
    assert isinstance(take(door, payload).message, PosTransaction)


def test_a_poslog_is_read_for_its_till(door):
    """Two tills that number alike do not hide each other's sales."""
    assert take(door, SAMPLE).message.message_id != take(door, SAMPLE, till="till-2").message.message_id


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"<", "not-xml"),
        (b"<!DOCTYPE POSLog><POSLog/>", "unsafe-xml"),
        (SAMPLE.decode().encode("utf-16"), "unsafe-xml"),
        (b"\x00<\x00P", "not-json"),
        (b"<a>" * 100_000, "too-large"),
        (b"<DigitalReceipt/>", "not-poslog"),
        (b"{", "not-json"),
        (json.dumps({**SALE, "total_minor": 1}).encode(), "invalid"),
        (json.dumps({**SALE, "kind": "void", "lines": []}).encode(), "invalid"),
        (json.dumps({**SALE, "kind": "return", "lines": [SALE["lines"][0] | {"returned": True}]}).encode(), "invalid"),
        (json.dumps({**SALE, "tax_minor": 319, "net_minor": 1}).encode(), "invalid"),
        (json.dumps({**SALE, "tenders": [{"kind": "bitcoin", "amount_minor": 1999}]}).encode(), "invalid"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(door, payload, reason):
    """Each kind of wrong has its own fixed word."""
    with pytest.raises(MessageRejected) as refused:
        take(door, payload)
    assert refused.value.reason == reason


def test_a_refusal_repeats_no_card_number(door):
    """Not from a field, not from a key, not from XML."""
    card = "4111111111111111"
    payloads = [
        json.dumps({**SALE, "currency": card}).encode(),
        json.dumps({**SALE, "lines": [{"sku": card, "quantity": card, "total_minor": card}]}).encode(),
        json.dumps({**SALE, "tenders": [{card: card}]}).encode(),
        SAMPLE.replace(b"92.22", card.encode()),
        SAMPLE.replace(b"EUR", card.encode()),
        f"<POSLog><{'x' + card}></POSLog>".encode(),
    ]
    for payload in payloads:
        with pytest.raises(MessageRejected) as refused:
            take(door, payload)
        letter = dead_letter_of(refused.value, "threshold/v1/shop-1/pos/till-1/transaction", payload)
        assert card not in str(refused.value)
        assert card not in repr(letter)
        assert refused.value.__cause__ is None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_poslog_with_a_hole_in_it_is_taken_or_refused(data):
    """Whatever is cut out of it or doubled in it, nothing but a refusal comes of it."""
    start = data.draw(st.integers(0, len(SAMPLE) - 1))
    length = data.draw(st.integers(1, 200))
    piece = SAMPLE[start : start + length]
    changed = (
        SAMPLE[:start] + data.draw(st.sampled_from([b"", piece * 2, b"0", b">", b"&amp;"])) + SAMPLE[start + length :]
    )
    with contextlib.suppress(MessageRejected):
        assert isinstance(read_transaction(changed, till="t", received_at=NOW, timezone=UTC), PosTransaction)
