"""Receipts: the shopper's signed copy, which anybody with the box's public key can check."""

from __future__ import annotations

import json
import subprocess
from base64 import urlsafe_b64decode
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from consent_acts import NOTICES, RECORDER, acts
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from edge.consent.act import Act
from edge.consent.canonical import canonical
from edge.consent.jsonld import receipt_as_jsonld
from edge.consent.ledger import Entry
from edge.consent.purposes import Purpose
from edge.consent.receipt import Receipt, ReceiptInvalid, receipt_schema, verify_receipt
from edge.privacy.keyring import Keyring

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "edge" / "consent" / "schemas" / "consent-receipt.schema.json").read_text("utf-8"))
VALID = Draft202012Validator(SCHEMA)
DOCS = (ROOT / "docs" / "consent-record.md").read_text("utf-8").partition("## A receipt")[2]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
KEYS = {"k1": KEY.public_key()}


def issue(entries: tuple[Entry, ...], *, key: Ed25519PrivateKey = KEY, key_id: str = "k1") -> Receipt:
    return Receipt.issue(
        RECORDER.record(Act.of(entries)),
        receipt_id=str(uuid4()),
        at=NOW,
        notice=NOTICES.get,
        key=key,
        key_id=key_id,
    )


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    return issue(draw(acts()))


@given(receipts())
def test_every_receipt_is_valid_and_verifies(receipt: Receipt):
    """It has the schema's fields, and comes back from its file as what was signed."""
    VALID.validate(receipt.as_json())
    assert verify_receipt(receipt.as_bytes(), KEYS) == receipt


@settings(max_examples=20)
@given(receipts(), st.sampled_from(SCHEMA["required"]))
def test_the_schema_refuses_a_receipt_without_a_field(receipt: Receipt, name: str):
    """Schema version, id, time, record, notices, signature: each is missed."""
    document = receipt.as_json()
    del document[name]
    assert not VALID.is_valid(document)
    with pytest.raises(ReceiptInvalid):
        verify_receipt(canonical(document), KEYS)


def test_the_schema_in_the_repository_is_the_codes():
    """And TS 27560's two mandatory fields of a receipt are required in it."""
    assert receipt_schema() == SCHEMA
    assert {"schema_version", "receipt_id"} <= set(SCHEMA["required"])


def test_every_field_of_a_receipt_is_documented():
    """docs/consent-record.md has a row for each."""
    fields = [*SCHEMA["properties"]]
    fields += [f"notices.{name}" for name in SCHEMA["$defs"]["NoticeCopy"]["properties"]]
    fields += [f"signature.{name}" for name in SCHEMA["$defs"]["Signature"]["properties"]]
    for field in fields:
        assert f"| `{field}` |" in DOCS


@settings(max_examples=300)
@given(receipts(), st.data())
def test_any_altered_byte_is_found(receipt: Receipt, data: st.DataObject):
    """No byte of the file can become another one: the whole of it is signed, the signature has one spelling."""
    raw = bytearray(receipt.as_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ReceiptInvalid):
        verify_receipt(bytes(raw), KEYS)


def test_a_signature_has_one_spelling():
    """The last letter of 64 bytes in base64url has four bits that say nothing; they must be as they were."""
    document = issue(ENTRIES).as_json()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    value = document["signature"]["value"]
    document["signature"]["value"] = value[:-1] + letters[letters.index(value[-1]) ^ 1]
    with pytest.raises(ReceiptInvalid, match="misspelt"):
        verify_receipt(canonical(document), KEYS)


def leaves(node: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document."""
    if isinstance(node, dict):
        return [leaf for name, part in node.items() for leaf in leaves(part, (*way, name))]
    if isinstance(node, list):
        return [leaf for number, part in enumerate(node) for leaf in leaves(part, (*way, number))]
    return [way]


@given(receipts(), st.data())
def test_any_altered_value_is_found(receipt: Receipt, data: st.DataObject):
    """Written anew as good JSON with one value changed, it is refused."""
    document = receipt.as_json()
    way = data.draw(st.sampled_from(leaves(document)))
    node = document
    for step in way[:-1]:
        node = node[step]
    old = node[way[-1]]
    node[way[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int) else old + "x"
    with pytest.raises(ReceiptInvalid):
        verify_receipt(canonical(document), KEYS)


@given(st.binary(max_size=200) | st.sampled_from([b"{}", b"[]", b"null", b"\xff"]))
def test_what_is_no_receipt_is_refused(data: bytes):
    """Whatever the file holds, `ReceiptInvalid` is all that comes of it."""
    with pytest.raises(ReceiptInvalid, match="not a receipt"):
        verify_receipt(data, KEYS)


def test_a_field_that_nobody_signed_is_refused():
    """Nothing can be written beside what was signed."""
    document = issue(ENTRIES).as_json()
    with pytest.raises(ReceiptInvalid, match="not a receipt"):
        verify_receipt(canonical({**document, "note": "granted everything"}), KEYS)


def test_a_file_too_large_is_not_even_parsed():
    """A megabyte is no receipt."""
    with pytest.raises(ReceiptInvalid, match="too large"):
        verify_receipt(b" " * 1_000_001, KEYS)


def test_another_boxs_receipt_is_not_ours():
    """Unknown key ids are refused, and so is a known id over another key's signature."""
    other = Ed25519PrivateKey.generate()
    with pytest.raises(ReceiptInvalid, match="not this box's"):
        verify_receipt(issue(ENTRIES, key=other, key_id="k2").as_bytes(), KEYS)
    with pytest.raises(ReceiptInvalid, match="altered"):
        verify_receipt(issue(ENTRIES, key=other, key_id="k1").as_bytes(), KEYS)


def test_a_signed_notice_that_is_not_its_version_is_found():
    """Even the box cannot sign a receipt whose words are others than the record names, and pass."""
    record = RECORDER.record(Act.of(ENTRIES))
    receipt = Receipt.issue(
        record, receipt_id=str(uuid4()), at=NOW, notice=lambda _: b'{"other":1}', key=KEY, key_id="k1"
    )
    with pytest.raises(ReceiptInvalid, match="not what its version says"):
        verify_receipt(receipt.as_bytes(), KEYS)


def test_a_receipt_is_not_issued_without_its_words():
    """A notice that is not kept cannot be handed out."""
    with pytest.raises(ReceiptInvalid, match="not kept"):
        Receipt.issue(
            RECORDER.record(Act.of(ENTRIES)),
            receipt_id=str(uuid4()),
            at=NOW,
            notice=lambda _: None,
            key=KEY,
            key_id="k1",
        )


def test_a_receipt_holds_the_words_that_were_shown():
    """Each notice reads back as the purpose it was, in both languages, and hashes to its version."""
    for notice in issue(ENTRIES).notices:
        assert sha256(notice.content.encode()).hexdigest() == notice.version
        assert set(Purpose.of_content(notice.content.encode()).text) == {"en", "zh-CN"}


def test_a_rotated_keyrings_old_receipts_still_verify(tmp_path: Path):
    """The keyring keeps its old public keys."""
    keyring = Keyring.open(tmp_path / "keyring.json")
    old = issue(ENTRIES, key=keyring.signing_key(), key_id=keyring.signing_key_id())
    keyring.rotate(NOW)
    new = issue(ENTRIES, key=keyring.signing_key(), key_id=keyring.signing_key_id())
    assert old.signature.key_id != new.signature.key_id
    for receipt in (old, new):
        assert verify_receipt(receipt.as_bytes(), keyring.verify_keys()) == receipt


def test_openssl_agrees_with_the_signature(tmp_path: Path):
    """Somebody without Threshold checks it as docs/consent-record.md says: label, line feed, canonical JSON, Ed25519."""
    document = json.loads(issue(ENTRIES).as_bytes())
    signature = document.pop("signature")["value"]
    signed = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    (tmp_path / "signed").write_bytes(b"threshold-consent-receipt-v1\n" + signed)
    (tmp_path / "signature").write_bytes(urlsafe_b64decode(signature + "=="))
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "signature",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_receipt_exports_with_its_record():
    """As DPV's `ConsentReceipt`, of which the record is a part."""
    receipt = issue(ENTRIES)
    document = receipt_as_jsonld(receipt)
    assert document["@type"] == "dpv:ConsentReceipt"
    assert document["dct:identifier"] == receipt.receipt_id
    assert document["dct:hasPart"]["dct:identifier"] == receipt.record.header.record_id
    assert "@context" not in document["dct:hasPart"]


def test_a_receipt_cannot_be_altered_once_made():
    """It is a value."""
    receipt = issue(ENTRIES)
    with pytest.raises(ValidationError):
        receipt.issued_at = "2026-01-01T00:00:00.000Z"  # type: ignore[misc]
    assert deepcopy(receipt) == receipt


def _entries() -> tuple[Entry, ...]:
    """Yes to the mirror."""
    version = next(version for version, content in NOTICES.items() if b'"id":"size_recommendation"' in content)
    entry = Entry(
        seq=2,
        at=NOW,
        kind="granted",
        act=str(uuid4()),
        subject="s_aaaaaaaaaaaaaaaaaaaaaaaaaa",  # type: ignore[arg-type]
        purpose="size_recommendation",
        notice=version,
        details={
            "channel": "kiosk",
            "language": "zh-CN",
            "age_band": "adult",
            "until": "2026-04-01T09:00:00.000Z",
            "separate": True,
        },
    )
    return (entry, replace(entry, seq=3, kind="receipt", purpose=None, notice=None, details={"channel": "kiosk"}))


ENTRIES = _entries()
