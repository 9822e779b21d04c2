"""A till's message through the real sanitiser: the figures stay, what is personal or forbidden goes, nothing is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.messages import PosTransaction
from edge.pos_bridge.reading import read_transaction
from edge.pos_bridge.sales import sale_of
from edge.privacy.sanitise.finds import IdentityKind
from edge.privacy.sanitise.sanitiser import Cleaned, Sanitiser

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.xml"))
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
CARD = "4111111111111111"


def cleaned(payload: bytes) -> tuple[PosTransaction, Cleaned]:
    found: list[Cleaned] = []

    def clean(value: Any) -> Any:
        found.append(Sanitiser(lambda _number: "t_" + "a" * 20, region="DE").clean(value))
        return found[-1].value

    return read_transaction(payload, till="till-1", received_at=NOW, timezone=UTC, clean=clean), found[0]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_cleaning_changes_no_figure(path: Path) -> None:
    """Nor the identity by which a repetition is known."""
    raw = read_transaction(path.read_bytes(), till="till-1", received_at=NOW, timezone=UTC)
    clean, _ = cleaned(path.read_bytes())
    assert sale_of(clean, till="till-1", at=NOW) == sale_of(raw, till="till-1", at=NOW)
    assert clean.message_id == raw.message_id


def test_a_telephone_number_in_pieces_is_found_whole() -> None:
    """POSLog tells country, area and number apart; one number comes out, and one name."""
    clean, found = cleaned(next(path for path in SAMPLES if path.stem == "exchange_of_a_member").read_bytes())
    kinds = [one.kind for one in found.identities]
    assert kinds.count(IdentityKind.PHONE) == kinds.count(IdentityKind.NAME) == kinds.count(IdentityKind.EMAIL) == 1
    assert clean.customer is not None
    told = str(clean.customer.model_dump())
    assert not any(word in told for word in ("Erika", "Mustermann", "23125000", "example.com", "10442"))


def test_a_card_number_where_an_article_should_be_costs_no_sale() -> None:
    """Its place is taken by a mark, and the sale is counted: the sum is right whatever was typed."""
    line = {"sku": f"paid with {CARD}", "quantity": 1, "total_minor": 1999}
    body = {"message_id": "0b6d3c86-4f4b-4f5e-9a35-6a0d6f3f0c11", "captured_at": NOW.isoformat(), "currency": "EUR"}
    clean, found = cleaned(json.dumps({**body, "lines": [line], "total_minor": 1999}).encode())
    assert clean.total_minor == 1999
    assert CARD not in clean.lines[0].sku
    assert len(found.cards) == 1
