"""What a store seals only HQ can open, and only as what it was sealed as."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.sealed.opening import Opener
from edge.sealed.recipient import (
    KeyFileRefused,
    Recipient,
    RecipientKey,
    generate_recipient_key,
    read_private,
    read_public,
    write_private,
    write_public,
)
from edge.sealed.sealing import (
    DATA_KEY_LIFE,
    CannotOpen,
    Sealer,
    SealSuite,
    _DataKey,
    best_suite,
    open_sealed,
    seal,
)

HQ = generate_recipient_key()
OTHER = generate_recipient_key()
SUITES = list(SealSuite)
WORDS = st.text(max_size=12)


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def data_key_part(sealed: bytes) -> bytes:
    """Everything before the nonce, for one recipient."""
    length = int.from_bytes(sealed[19:21], "big")
    return sealed[: 21 + length]


@pytest.mark.parametrize("suite", SUITES)
@given(plaintext=st.binary(max_size=300), store=WORDS, purpose=WORDS, record=WORDS)
def test_hq_opens_what_was_sealed(suite: SealSuite, plaintext: bytes, store: str, purpose: str, record: str):
    """Whatever it is, under either suite, it comes back whole."""
    sealed = seal(plaintext, recipient=HQ.recipient(), store=store, purpose=purpose, record=record, suite=suite)
    assert open_sealed(sealed.sealed, key=HQ, store=store, purpose=purpose, record=record) == plaintext
    assert sealed.recipients == ((HQ.key_id, suite),)


@pytest.mark.parametrize("suite", SUITES)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_changed_bit_keeps_it_closed(suite: SealSuite, data: st.DataObject):
    """Version, suite, key id, lengths, encapsulated key, data key, nonce, text, tag: nothing can be altered."""
    sealed = seal(b"4111 1111", recipient=HQ.recipient(), store="s", purpose="payment", suite=suite).sealed
    at = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    altered = bytearray(sealed)
    altered[at] ^= flip
    with pytest.raises(CannotOpen):
        open_sealed(bytes(altered), key=HQ, store="s", purpose="payment")


@pytest.mark.parametrize("suite", SUITES)
def test_every_byte_of_the_head_counts(suite: SealSuite):
    """The two bytes in front and the recipient's slot, one by one: 21 bytes and the encapsulated key's first."""
    sealed = seal(b"x", recipient=HQ.recipient(), store="s", purpose="payment", suite=suite).sealed
    for at in range(40):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(CannotOpen):
            open_sealed(bytes(altered), key=HQ, store="s", purpose="payment")


@given(cut=st.integers(0, 1300))
def test_what_is_cut_short_stays_closed(cut: int):
    """Any beginning of a sealed record is refused with the same words."""
    sealed = seal(b"text", recipient=HQ.recipient(), store="s", purpose="payment").sealed
    with pytest.raises(CannotOpen):
        open_sealed(sealed[: min(cut, len(sealed) - 1)], key=HQ, store="s", purpose="payment")


@given(noise=st.binary(max_size=2000))
def test_noise_is_refused_with_the_same_words(noise: bytes):
    """Nothing but `CannotOpen` comes of bytes that nobody sealed."""
    with pytest.raises(CannotOpen):
        open_sealed(noise, key=HQ, store="s", purpose="payment")


@pytest.mark.parametrize(
    "other",
    [{"store": "shop-2"}, {"purpose": "identity"}, {"record": "r-2"}, {"store": "shop-1pay", "purpose": "ment"}],
)
def test_another_store_purpose_or_record_does_not_open(other: dict[str, str]):
    """What was sealed for one is nothing for another, even where the words run together alike."""
    bound = {"store": "shop-1", "purpose": "payment", "record": "r-1"}
    sealed = seal(b"text", recipient=HQ.recipient(), **bound).sealed
    assert open_sealed(sealed, key=HQ, **bound) == b"text"
    with pytest.raises(CannotOpen):
        open_sealed(sealed, key=HQ, **{**bound, **other})


@pytest.mark.parametrize("suite", SUITES)
def test_failures_are_indistinguishable(suite: SealSuite):
    """Wrong key, store, purpose, record, an old or a later version, a flipped bit, nothing at all: one type, one text."""
    bound = {"store": "s", "purpose": "payment", "record": "r"}
    sealed = seal(b"text", recipient=HQ.recipient(), suite=suite, **bound).sealed
    flipped = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in (*range(30), -60, -20, -1)]
    attempts = [
        (sealed, OTHER, bound),
        *((sealed, HQ, {**bound, name: "x"}) for name in bound),
        *((bytes([version]) + sealed[1:], HQ, bound) for version in (0, 2, 255)),
        *((raw, HQ, bound) for raw in (*flipped, b"", sealed[:40], sealed + b"x")),
    ]
    said = set()
    for raw, key, words in attempts:
        for attempt in (lambda: open_sealed(raw, key=key, **words), lambda: Opener(key).open(raw, **words)):  # noqa: B023
            with pytest.raises(CannotOpen) as caught:
                attempt()
            error = caught.value
            said.add((type(error), str(error), repr(error), error.__cause__, error.__suppress_context__))
    assert {(kind, text) for kind, text, *_ in said} == {(CannotOpen, str(CannotOpen()))}
    assert {cause for *_, cause, _ in said} == {None}


def test_old_and_new_keys_open_side_by_side(tmp_path: Path):
    """While headquarters changes its key: what either of them closed opens, in whatever order they lie in the folder."""
    for name, key in (("payment", HQ), ("payment-2", OTHER)):
        write_private(key, tmp_path / f"{name}.private.json")
        write_public(key.recipient(), tmp_path / f"{name}.public.json")
    opener = Opener.in_folder(tmp_path)
    for key in (HQ, OTHER):
        sealed = seal(b"text", recipient=key.recipient(), store="s", purpose="payment").sealed
        assert opener.open(sealed, store="s", purpose="payment") == b"text"
    third = seal(b"text", recipient=generate_recipient_key().recipient(), store="s", purpose="payment").sealed
    with pytest.raises(CannotOpen):
        opener.open(third, store="s", purpose="payment")


def test_an_opener_without_keys_is_refused(tmp_path: Path):
    """An empty folder is named, with the remedy; none at all is a mistake of wiring."""
    with pytest.raises(KeyFileRefused, match="make-recipient"):
        Opener.in_folder(tmp_path)
    with pytest.raises(ValueError, match="at least one key"):
        Opener()


def test_each_of_several_recipients_opens_and_nobody_else():
    """Payment's and identity's keys both open a record sealed to both; a third does not."""
    sealer = Sealer(HQ.recipient(), OTHER.recipient(), store="s", purpose="payment")
    record = sealer.seal(b"text", record="r")
    for key in (HQ, OTHER):
        assert open_sealed(record.sealed, key=key, store="s", purpose="payment", record="r") == b"text"
    assert [slot.key_id for slot in record.recipients] == [HQ.key_id, OTHER.key_id]
    with pytest.raises(CannotOpen):
        open_sealed(record.sealed, key=generate_recipient_key(), store="s", purpose="payment", record="r")


def test_one_recipients_slot_cannot_be_altered_unnoticed_by_another():
    """The data key's own associated data cover the whole head."""
    sealed = bytearray(Sealer(HQ.recipient(), OTHER.recipient(), store="s", purpose="p").seal(b"text").sealed)
    second = 2 + (len(data_key_part(bytes(sealed))) - 2) + 30
    sealed[second] ^= 1
    with pytest.raises(CannotOpen):
        open_sealed(bytes(sealed), key=HQ, store="s", purpose="p")


def test_a_data_key_serves_many_records_for_a_minute():
    """The head, and so the data key, stays the same below a minute, and is another from then on."""
    watch = Watch()
    sealer = Sealer(HQ.recipient(), store="s", purpose="p", clock=watch)
    first, second = (data_key_part(sealer.seal(b"x").sealed) for _ in range(2))
    watch.now += DATA_KEY_LIFE - timedelta(milliseconds=1)
    third = data_key_part(sealer.seal(b"x").sealed)
    watch.now += timedelta(milliseconds=1)
    fourth = data_key_part(sealer.seal(b"x").sealed)
    assert first == second == third != fourth
    assert timedelta(minutes=1) >= DATA_KEY_LIFE


def test_a_clock_set_back_does_not_lengthen_a_data_keys_life():
    """A key from the future is stale."""
    watch = Watch()
    sealer = Sealer(HQ.recipient(), store="s", purpose="p", clock=watch)
    before = data_key_part(sealer.seal(b"x").sealed)
    watch.now -= timedelta(hours=1)
    assert data_key_part(sealer.seal(b"x").sealed) != before


def test_a_quiet_sealer_forgets_its_data_key():
    """`forget_stale` drops what is too old, and only that."""
    watch = Watch()
    sealer = Sealer(HQ.recipient(), store="s", purpose="p", clock=watch)
    sealer.seal(b"x")
    assert not sealer.forget_stale()
    watch.now += DATA_KEY_LIFE
    assert sealer.forget_stale()
    assert not sealer.forget_stale()


def test_equal_texts_are_never_sealed_alike():
    """Each record has a nonce of its own under the same data key."""
    sealer = Sealer(HQ.recipient(), store="s", purpose="p")
    assert len({sealer.seal(b"same").sealed for _ in range(200)}) == 200


def test_the_default_is_the_hybrid_suite_where_openssl_has_it():
    """This machine's does; the sealed record says so."""
    assert best_suite() is SealSuite.MLKEM768_X25519
    assert seal(b"x", recipient=HQ.recipient(), store="s", purpose="p").recipients[0].suite is best_suite()


def test_the_data_key_is_closed_by_plain_hpke():
    """A recipient with nothing but RFC 9180 gets 32 bytes out of a slot with the `info` that the module describes."""
    sealed = seal(b"x", recipient=HQ.recipient(), store="shop", purpose="pay", suite=SealSuite.X25519).sealed
    bound = b"threshold-sealed\x01" + b"\0\0\0\x04shop" + b"\0\0\0\x03pay" + b"\0\0\0\0"
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    private = X25519PrivateKey.from_private_bytes(HQ.x25519)
    info = bound + b"\x02" + bytes.fromhex(HQ.key_id)
    assert len(suite.decrypt(data_key_part(sealed)[21:], private, info=info)) == 32


def reachable_bytes(thing: object) -> Iterator[bytes]:
    """Every byte string that can be reached through our own objects' attributes."""
    if isinstance(thing, bytes):
        yield thing
    elif isinstance(thing, tuple | list):
        for part in thing:
            yield from reachable_bytes(part)
    elif type(thing) in {Sealer, Recipient, _DataKey}:
        for name in [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]:
            yield from reachable_bytes(getattr(thing, name))


def test_what_a_sealer_holds_does_not_open_anything():
    """It has neither a private key, nor, once its cipher is set up, the data key's bytes."""
    sealer = Sealer(HQ.recipient(), store="s", purpose="p", random=lambda size: b"K" * size)
    sealer.seal(b"x")
    held = list(reachable_bytes(sealer))
    assert HQ.recipient().mlkem in held
    assert not {HQ.mlkem_seed, HQ.x25519, b"K" * 32} & set(held)


def test_no_repr_shows_a_key_or_a_text():
    """Keys, data keys and sealed bytes do not end in a log by being printed."""
    sealer = Sealer(HQ.recipient(), store="s", purpose="p", random=lambda size: b"K" * size)
    shown = repr(HQ) + repr(sealer) + repr(sealer.seal(b"secret")) + repr(vars(sealer)["_key"])
    for secret in (HQ.x25519, HQ.mlkem_seed, b"K" * 32, b"secret"):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_one_to_eight_recipients():
    """None is a mistake of wiring, and so is a crowd."""
    for recipients in ([], [HQ.recipient()] * 9):
        with pytest.raises(ValueError, match="recipients"):
            Sealer(*recipients, store="s", purpose="p")


def test_key_files_come_back_as_they_were(tmp_path: Path):
    """Both halves survive their files, and the private one is its owner's alone."""
    write_public(HQ.recipient(), tmp_path / "public.json")
    write_private(HQ, tmp_path / "private.json")
    assert read_public(tmp_path / "public.json") == HQ.recipient()
    assert read_private(tmp_path / "private.json") == HQ
    assert stat.S_IMODE((tmp_path / "private.json").stat().st_mode) == 0o600


def test_a_private_key_is_refused_where_a_public_one_belongs(tmp_path: Path):
    """Somebody copied the wrong file to a store: the error says so, and what to do."""
    write_private(HQ, tmp_path / "key.json")
    with pytest.raises(KeyFileRefused, match="PRIVATE key; delete it here"):
        read_public(tmp_path / "key.json")


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path):
    """Mode 0640 is too much."""
    write_private(HQ, tmp_path / "key.json")
    (tmp_path / "key.json").chmod(0o640)
    with pytest.raises(KeyFileRefused, match="open to others"):
        read_private(tmp_path / "key.json")


def test_no_key_file_is_overwritten(tmp_path: Path):
    """Losing HQ's key loses what was sealed to it."""
    write_private(HQ, tmp_path / "key.json")
    with pytest.raises(KeyFileRefused, match="File exists"):
        write_private(OTHER, tmp_path / "key.json")
    assert read_private(tmp_path / "key.json") == HQ


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "null", '{"kind": "threshold-recipient-public", "version": 1}', "\x00"]
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, content: str):
    """Whatever is in it, it is one line, and none of it is repeated."""
    (tmp_path / "key.json").write_text(content)
    (tmp_path / "key.json").chmod(0o600)
    for read in (read_public, read_private):
        with pytest.raises(KeyFileRefused, match="damaged"):
            read(tmp_path / "key.json")


def test_a_public_key_with_another_id_is_refused(tmp_path: Path):
    """The id that an officer compared by telephone is that of the keys in the file."""
    write_public(HQ.recipient(), tmp_path / "key.json")
    text = (tmp_path / "key.json").read_text()
    (tmp_path / "key.json").write_text(text.replace(HQ.key_id, OTHER.key_id))
    with pytest.raises(KeyFileRefused, match="damaged"):
        read_public(tmp_path / "key.json")


def test_an_absent_key_file_is_one_line(tmp_path: Path):
    """It names the file and the remedy."""
    with pytest.raises(KeyFileRefused, match="No such file"):
        read_public(tmp_path / "none.json")


@pytest.mark.parametrize(("of", "length"), [(Recipient.of, 1184), (RecipientKey.of, 64)])
def test_keys_of_a_wrong_length_are_refused(of: object, length: int):
    """Half a key is no key."""
    with pytest.raises(ValueError, match="length"):
        of(b"x" * (length - 1), b"x" * 32)  # type: ignore[operator]
