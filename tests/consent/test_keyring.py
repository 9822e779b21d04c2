"""The box's own keys: made once, read by their owner alone, rotated without losing what they wrapped or signed."""

from __future__ import annotations

import hmac
import json
import stat
import subprocess
import sys
import textwrap
from base64 import b64decode
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.keyring import CannotUnwrap, Keyring, KeyringError
from edge.privacy.subject_keys import CannotOpen, SubjectKeys

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SUBJECT, OTHER = bytes(16), bytes(15) + b"\x01"


class InMemory:
    """A `KeyStore` that is no file, as a TPM would be none."""

    name = "a chip"

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.locked = 0

    def load(self) -> bytes | None:
        return self.content

    def create(self, content: bytes) -> bool:
        if self.content is not None:
            return False
        self.content = content
        return True

    def replace(self, content: bytes) -> None:
        assert self.locked
        self.content = content

    @contextmanager
    def lock(self):
        self.locked += 1
        yield
        self.locked -= 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keyring.json"


@pytest.fixture
def keyring(path: Path) -> Keyring:
    return Keyring.open(path)


def test_it_is_made_once_for_its_owner_alone(path: Path):
    """Mode 0600 from the first moment, and the same keys for whoever opens it next; no half-made file stays."""
    first = Keyring.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.open(path).mac("x", b"y") == first.mac("x", b"y")
    assert [one.name for one in path.parent.iterdir()] == ["keyring.json"]


def test_processes_that_start_at_once_share_one(path: Path):
    """Gateway and web process may both be the first: both end with the keys that are in the file."""
    code = "import sys,pathlib; from edge.privacy.keyring import Keyring; sys.stdin.readline();"
    code += "print(Keyring.open(pathlib.Path(sys.argv[1])).mac('x', b'y').hex())"
    command = [sys.executable, "-c", code, str(path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate()[0].strip() for process in started}
    assert said == {Keyring.open(path).mac("x", b"y").hex()}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o660])
def test_a_file_that_others_may_open_is_refused(path: Path, keyring: Keyring, mode: int):
    """In one line that says what to do."""
    path.chmod(mode)
    with pytest.raises(KeyringError, match=r"open to others \(mode 0[0-7]+\); chmod 600 it"):
        Keyring.open(path)


def test_what_is_not_there_is_made_only_if_asked(path: Path):
    """A command that reads makes no keys."""
    with pytest.raises(KeyringError, match="does not exist"):
        Keyring.open(path, create=False)
    assert not path.exists()


def test_a_damaged_file_is_said_without_what_is_in_it(path: Path, keyring: Keyring):
    """No part of a key goes into an error, nor into what caused it."""
    content = json.loads(path.read_text())
    secret = content["root"]
    spoilt = [
        b"",
        b"{",
        path.read_bytes()[:-30],
        json.dumps({**content, "v": 2}).encode(),
        json.dumps({**content, "root": secret[:-4]}).encode(),
        json.dumps({**content, "root": secret.replace(secret[0], "*")}).encode(),
        json.dumps({**content, "wrapping": []}).encode(),
        json.dumps({**content, "signing": [{**content["signing"][0], "private": None}]}).encode(),
        json.dumps({**content, "signing": [{**content["signing"][0], "public": secret}]}).encode(),
    ]
    for raw in spoilt:
        path.write_bytes(raw)
        with pytest.raises(KeyringError, match="is damaged") as error:
            Keyring.open(path)
        assert secret[:8] not in str(error.value)
        assert error.value.__cause__ is None


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path):
    """In one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyringError, match="Not a directory"):
        Keyring.open(tmp_path / "file" / "keyring.json")


def test_no_repr_shows_a_key(path: Path, keyring: Keyring):
    """Nor does its status."""
    content = json.loads(path.read_text())
    secrets = [content["root"], content["wrapping"][0]["key"], content["signing"][0]["private"]]
    for shown in (repr(keyring), repr(keyring.__dict__), repr(keyring.status())):
        for secret in secrets:
            assert secret not in shown
            assert b64decode(secret).hex() not in shown
            assert repr(b64decode(secret))[2:-1] not in shown


def test_a_mac_is_hkdf_and_hmac(path: Path, keyring: Keyring):
    """RFC 5869 and RFC 2104, written out: whoever has the root can compute it elsewhere."""
    root = b64decode(json.loads(path.read_text())["root"])
    extracted = hmac.digest(bytes(32), root, "sha256")
    key = hmac.digest(extracted, b"threshold-mac-v1\nreceipt-code\x01", "sha256")
    assert keyring.mac("receipt-code", b"7K2MQX4D") == hmac.digest(key, b"7K2MQX4D", sha256)


@given(st.text(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_each_purpose_has_a_key_of_its_own(one: str, other: str, message: bytes):
    """A token of one purpose says nothing of the same value's token for another."""
    keyring = Keyring(InMemory())
    assert (keyring.mac(one, message) == keyring.mac(other, message)) == (one == other)


@given(st.binary(max_size=64), st.binary(max_size=20), st.integers(0, 10**6))
def test_what_is_wrapped_opens_in_its_context_and_unaltered(key: bytes, context: bytes, bit: int):
    """Any other context, and any turned bit, is the same error."""
    keyring = Keyring(InMemory())
    blob = keyring.wrap(key, context=context)
    assert keyring.unwrap(blob, context=context) == key
    assert blob != keyring.wrap(key, context=context)
    flipped = bytearray(blob)
    flipped[bit // 8 % len(blob)] ^= 1 << bit % 8
    said = set()
    for wrong, where in ((bytes(flipped), context), (blob, context + b"x"), (blob[:-1], context), (b"", context)):
        with pytest.raises(CannotUnwrap) as error:
            keyring.unwrap(wrong, context=where)
        said.add(str(error.value))
    assert len(said) == 1


def test_rotation_loses_nothing(path: Path, keyring: Keyring):
    """Old wraps open, old signatures verify, keyed hashes stay; new wraps and signatures are under new keys."""
    blob, mac = keyring.wrap(b"key", context=b"c"), keyring.mac("x", b"y")
    old_id, signature = keyring.signing_key_id(), keyring.signing_key().sign(b"statement")
    keyring.rotate(NOW)
    for one in (keyring, Keyring.open(path)):
        assert one.unwrap(blob, context=b"c") == b"key"
        assert one.mac("x", b"y") == mac
        assert not blob.startswith(one.wrap_prefix())
        assert one.wrap(b"key", context=b"c").startswith(one.wrap_prefix())
        assert one.signing_key_id() != old_id
        one.verify_keys()[old_id].verify(signature, b"statement")
        with pytest.raises(InvalidSignature):
            one.verify_keys()[one.signing_key_id()].verify(signature, b"statement")
    assert [made_at for _, made_at in keyring.status().signing][-1] == NOW.isoformat()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    privates = [one["private"] for one in json.loads(path.read_text())["signing"]]
    assert privates[0] is None
    assert privates[1] is not None


def test_another_process_understands_what_was_wrapped_after_a_rotation(path: Path, keyring: Keyring):
    """It looks into the file when it meets a key that it does not know."""
    other = Keyring.open(path)
    other.rotate(NOW)
    assert keyring.unwrap(other.wrap(b"key", context=b"c"), context=b"c") == b"key"
    assert len(keyring.verify_keys()) == 2


def test_two_rotations_at_once_both_stand(path: Path, keyring: Keyring):
    """One waits for the other, and starts from what it left."""
    code = textwrap.dedent(
        """
        import sys, pathlib
        from datetime import datetime, UTC
        from edge.privacy.keyring import Keyring
        keyring = Keyring.open(pathlib.Path(sys.argv[1]))
        sys.stdin.readline()
        for _ in range(5):
            keyring.rotate(datetime.now(UTC))
        """
    )
    command = [sys.executable, "-c", code, str(path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(3)]
    for process in started:
        process.communicate("\n")
    assert [process.returncode for process in started] == [0, 0, 0]
    status = Keyring.open(path).status()
    assert len(status.wrapping) == len(status.signing) == 16


def test_the_store_is_pluggable():
    """Anything that keeps bytes may keep the keyring: a TPM, a token."""
    chip = InMemory()
    first = Keyring(chip)
    first.rotate(NOW)
    assert Keyring(chip, create=False).mac("x", b"y") == first.mac("x", b"y")
    assert repr(first) == "Keyring('a chip')"
    with pytest.raises(KeyringError, match="a chip does not exist"):
        Keyring(InMemory(), create=False)


def test_aes_gcm_is_the_published_one():
    """NIST GCM test case 16 (AES-256, with associated data), by the cipher that everything here is sealed with."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), plain, bound)
    assert sealed.hex() == (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )


@given(st.binary(max_size=100), st.text(max_size=10), st.integers(0, 10**6))
def test_a_subjects_data_open_for_that_subject_and_name(plaintext: bytes, name: str, bit: int):
    """Another subject, another name, another key or a turned bit does not open it."""
    keys = SubjectKeys(Keyring(InMemory()))
    wrapped, others = keys.make(SUBJECT), keys.make(OTHER)
    sealed = keys.seal(plaintext, wrapped=wrapped, subject=SUBJECT, name=name)
    assert keys.open(sealed, wrapped=wrapped, subject=SUBJECT, name=name) == plaintext
    assert keys.open(sealed, wrapped=keys.rewrap(wrapped, subject=SUBJECT), subject=SUBJECT, name=name) == plaintext
    assert len(keys.rewrap(wrapped, subject=SUBJECT)) == len(wrapped)
    flipped = bytearray(sealed)
    flipped[bit // 8 % len(sealed)] ^= 1 << bit % 8
    for wrong, where in ((bytes(flipped), name), (sealed, name + "x"), (b"", name), (sealed[:-1], name)):
        with pytest.raises(CannotOpen):
            keys.open(wrong, wrapped=wrapped, subject=SUBJECT, name=where)
    with pytest.raises(CannotOpen):
        keys.open(sealed, wrapped=others, subject=OTHER, name=name)
    with pytest.raises(CannotUnwrap):
        keys.open(sealed, wrapped=wrapped, subject=OTHER, name=name)


def test_an_unreadable_file_is_said(path: Path):
    """In one line that names the file."""
    path.mkdir(parents=True)
    with pytest.raises(KeyringError, match=r"keyring\.json: Is a directory"):
        Keyring.open(path)
