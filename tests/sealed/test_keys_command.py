"""`threshold keys`: what it says of keys is enough to keep them, and never a key."""

from __future__ import annotations

import json
import stat
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from consenting import Shop

from edge.cli import run
from edge.privacy.keyring import Keyring
from edge.sealed.recipient import read_private, read_public
from edge.sealed.sealing import open_sealed, seal


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a keyring, a registry and the public half of headquarters' payment key."""
    assert run(["keys", "make-recipient", "payment", "--out", str(tmp_path / "hq")]) == 0
    state = tmp_path / "state"
    state.mkdir()
    (state / "pay.json").write_bytes((tmp_path / "hq" / "payment.public.json").read_bytes())
    (state / "store.toml").write_text('[store]\nid = "linden"\n[hq]\npayment_key_file = "pay.json"\n')
    with closing(Shop(state)) as made:
        yield made


def told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["keys", "status", "--state", str(shop.folder), "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def secrets_of(shop: Shop) -> list[str]:
    """Every secret in the keyring's file, as it stands there and in hexadecimal."""
    fields = json.loads((shop.folder / "keyring.json").read_text())
    texts = [
        fields["root"],
        *(one["key"] for one in fields["wrapping"]),
        *(one["private"] for one in fields["signing"]),
    ]
    return [form for text in texts if text for form in (text, b64decode(text).hex())]


def test_status_names_keys_ages_and_recipients(shop: Shop, capsys: pytest.CaptureFixture[str]):
    """Ids and days of the box's keys, what is under each, and the fingerprint of headquarters' key."""
    shop.give("size_recommendation")
    found = told(shop, capsys)
    ((wrapping,), (signing,)) = found["keyring"]["wrapping"], found["keyring"]["signing"]
    assert (wrapping["id"], wrapping["age_days"], wrapping["state"], wrapping["holds"]) == (
        shop.keyring.status().wrapping[0][0],
        0,
        "wraps",
        1,
    )
    assert (signing["id"], signing["state"]) == (shop.keyring.signing_key_id(), "signs")
    assert found["recipients"]["payment"]["key_id"] == read_public(shop.folder / "pay.json").key_id
    assert found["recipients"]["identity"] is None
    assert found["suite"] == "mlkem768_x25519"


def test_status_in_words(shop: Shop, capsys: pytest.CaptureFixture[str]):
    """A fingerprint in groups of four, as one reads it out; what is not configured is said."""
    assert run(["keys", "status", "--state", str(shop.folder)]) == 0
    said = capsys.readouterr().out
    key_id = read_public(shop.folder / "pay.json").key_id
    assert f"{key_id[:4]} {key_id[4:8]} {key_id[8:12]}" in said
    assert "hq.identity_key_file is not set" in said
    assert "0 days: wraps, 0 under it" in said


def test_status_refuses_a_private_key_and_exits_1(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Somebody put the wrong half onto the box: said at once, with what to do."""
    (shop.folder / "pay.json").write_bytes((tmp_path / "hq" / "payment.private.json").read_bytes())
    assert run(["keys", "status", "--state", str(shop.folder)]) == 1
    assert "PRIVATE key; delete it here" in capsys.readouterr().out


def test_nothing_prints_a_key(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Neither the box's nor headquarters', in no form of ours."""
    for command in ("status", "rotate"):
        assert run(["keys", command, "--state", str(shop.folder)]) == 0
    assert run(["keys", "status", "--state", str(shop.folder), "--json"]) == 0
    assert run(["keys", "make-recipient", "identity", "--out", str(tmp_path / "hq")]) == 0
    printed = "".join(capsys.readouterr())
    identity = read_private(tmp_path / "hq" / "identity.private.json")
    for secret in (*secrets_of(shop), identity.x25519.hex(), identity.mlkem_seed.hex()):
        assert secret not in printed


def test_rotating_leaves_everything_readable(shop: Shop, capsys: pytest.CaptureFixture[str]):
    """New keys at once; data, ledger and signatures of before still hold; a restart and retention move to the new ones."""
    given = shop.give("size_recommendation")
    shop.registry.put_data(given.subject, "tag", b"coats")
    before = told(shop, capsys)["keyring"]
    assert run(["keys", "rotate", "--state", str(shop.folder)]) == 0
    after = told(shop, capsys)["keyring"]
    assert [key["state"] for key in after["wrapping"]] == ["opens", "wraps"]
    assert [key["state"] for key in after["signing"]] == ["verifies", "signs"]
    assert [key["holds"] for key in after["wrapping"]] == [1, 0]
    assert after["wrapping"][0]["id"] == before["wrapping"][0]["id"]
    shop.give("size_recommendation")  # by the process that has not restarted yet
    shop.keyring = Keyring.open(shop.folder / "keyring.json")
    shop.reopen()
    assert shop.registry.data(given.subject, "tag") == b"coats"
    shop.registry.retain(shop.clock())
    assert [key["holds"] for key in told(shop, capsys)["keyring"]["wrapping"]] == [0, 2]
    assert shop.registry.data(given.subject, "tag") == b"coats"
    assert shop.verify().subjects == 2


def test_the_retired_signing_key_is_destroyed(shop: Shop):
    """Its public half stays in the file, its private half is nowhere in it."""
    before = secrets_of(shop)
    assert run(["keys", "rotate", "--state", str(shop.folder)]) == 0
    left = (shop.folder / "keyring.json").read_text()
    assert [secret for secret in before[::2] if secret not in left] == [before[-2]]
    assert stat.S_IMODE((shop.folder / "keyring.json").stat().st_mode) == 0o600


def test_without_a_keyring_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Status and rotate look at a keyring; the web process makes it."""
    (tmp_path / "store.toml").write_text('[store]\nid = "linden"\n')
    for command in ("status", "rotate"):
        assert run(["keys", command, "--state", str(tmp_path)]) == 1
    assert "does not exist; start the web process" in capsys.readouterr().err
    assert not (tmp_path / "keyring.json").exists()


def test_a_made_pair_seals_and_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The private file is its owner's alone, in a folder of the owner's alone, and the fingerprint said is the pair's."""
    assert run(["keys", "make-recipient", "payment-2", "--out", str(tmp_path / "hq")]) == 0
    said = capsys.readouterr().out
    public, private = tmp_path / "hq" / "payment-2.public.json", tmp_path / "hq" / "payment-2.private.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    recipient = read_public(public)
    assert recipient.key_id in said.replace(" ", "")
    sealed = seal(b"text", recipient=recipient, store="s", purpose="payment").sealed
    assert open_sealed(sealed, key=read_private(private), store="s", purpose="payment") == b"text"


def test_no_pair_is_overwritten_and_no_half_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A second time, and where only the public file stands in the way: refused, and what lay there lies there."""
    made = ["keys", "make-recipient", "payment", "--out", str(tmp_path)]
    assert run(made) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert run(made) == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "payment.private.json").unlink()
    assert run(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["payment.public.json"]
    assert "File exists; choose a new file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../up", "Payment", "", "a" * 41, "-x"])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str):
    """Bad use: exit 2, nothing written."""
    assert run(["keys", "make-recipient", "--out", str(tmp_path / "hq"), "--", name]) == 2
    assert not (tmp_path / "hq").exists()
