"""Published test vectors: what we build on computes what its standards say, and others could open our records."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from hashlib import sha3_256, shake_256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM1024P384PrivateKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.sealed.recipient import RecipientKey
from edge.sealed.sealing import SealSuite, seal

FOLDER = Path(__file__).parent / "vectors"
Vector = dict[str, Any]

KEMS = {
    0x0010: KEM.P256,
    0x0012: KEM.P521,
    0x0020: KEM.X25519,
    0x0041: KEM.MLKEM768,
    0x0042: KEM.MLKEM1024,
    0x0051: KEM.MLKEM1024_P384,
    0x647A: KEM.MLKEM768_X25519,
}
KDFS = {1: KDF.HKDF_SHA256, 2: KDF.HKDF_SHA384, 3: KDF.HKDF_SHA512, 16: KDF.SHAKE128, 17: KDF.SHAKE256}
AEADS = {1: AEAD.AES_128_GCM, 2: AEAD.AES_256_GCM, 3: AEAD.CHACHA20_POLY1305}
OURS = {(0x0020, 1, 2): SealSuite.X25519, (0x647A, 1, 2): SealSuite.MLKEM768_X25519}


def published(name: str) -> list[Vector]:
    """The vectors in a file, which names its source."""
    content = json.loads((FOLDER / name).read_text("utf-8"))
    assert content["source"]
    vectors: list[Vector] = content["vectors"]
    return vectors


def raw(vector: Vector) -> dict[str, bytes]:
    return {name: bytes.fromhex(value) for name, value in vector.items() if isinstance(value, str)}


def named(vector: Vector) -> str:
    return f"kem{vector['kem_id']:04x}-kdf{vector['kdf_id']}-aead{vector['aead_id']}"


def hybrid(seed: bytes) -> MLKEM768X25519PrivateKey:
    """The draft's private key is a seed of 32 bytes, expanded by SHAKE256; ours are the two keys themselves."""
    expanded = shake_256(seed).digest(96)
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
    )


def hybrid_p384(seed: bytes) -> MLKEM1024P384PrivateKey:
    expanded = shake_256(seed).digest(64 + 48)
    return MLKEM1024P384PrivateKey(
        MLKEM1024PrivateKey.from_seed_bytes(expanded[:64]),
        ec.derive_private_key(int.from_bytes(expanded[64:]), ec.SECP384R1()),
    )


PRIVATE: dict[int, Callable[[bytes], Any]] = {
    0x0010: lambda key: ec.derive_private_key(int.from_bytes(key), ec.SECP256R1()),
    0x0012: lambda key: ec.derive_private_key(int.from_bytes(key), ec.SECP521R1()),
    0x0020: X25519PrivateKey.from_private_bytes,
    0x0041: MLKEM768PrivateKey.from_seed_bytes,
    0x0042: MLKEM1024PrivateKey.from_seed_bytes,
    0x0051: hybrid_p384,
    0x647A: hybrid,
}

HPKE_VECTORS = [
    vector
    for name in ("hpke-rfc9180.json", "hpke-pq.json")
    for vector in published(name)
    if vector["kdf_id"] in KDFS  # TurboSHAKE (18, 19) is not in `cryptography`
]


@pytest.mark.parametrize("vector", HPKE_VECTORS, ids=named)
def test_hpke_opens_the_published_messages(vector: Vector):
    """RFC 9180 base mode and its post-quantum draft, every suite of `cryptography`'s that they have vectors for.

    Their messages have associated data, which only the private function under the public API takes.
    """
    suite = Suite(KEMS[vector["kem_id"]], KDFS[vector["kdf_id"]], AEADS[vector["aead_id"]])
    v, private = raw(vector), PRIVATE[vector["kem_id"]](bytes.fromhex(vector["skRm"]))
    opened = openssl.hpke._decrypt_with_aad(suite, v["enc"] + v["ct"], private, info=v["info"], aad=v["aad"])
    assert opened == v["pt"]
    with pytest.raises(InvalidTag):
        openssl.hpke._decrypt_with_aad(suite, v["enc"] + v["ct"], private, info=v["info"] + b"x", aad=v["aad"])


def labeled(kind: str, suite_id: bytes, *, key: bytes, label: str, part: bytes, length: int = 0) -> bytes:
    """LabeledExtract and LabeledExpand of RFC 9180, 4, with SHA-256, out of nothing but HMAC."""
    if kind == "extract":
        return hmac.digest(key or bytes(32), b"HPKE-v1" + suite_id + label.encode() + part, "sha256")
    info, out, block = length.to_bytes(2) + b"HPKE-v1" + suite_id + label.encode() + part, b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def shared_x25519(enc: bytes, private: bytes) -> bytes:
    """Decap of DHKEM(X25519, HKDF-SHA256): RFC 9180, 4.1."""
    key, kem = X25519PrivateKey.from_private_bytes(private), b"KEM\x00\x20"
    dh = key.exchange(X25519PublicKey.from_public_bytes(enc))
    prk = labeled("extract", kem, key=b"", label="eae_prk", part=dh)
    context = enc + key.public_key().public_bytes_raw()
    return labeled("expand", kem, key=prk, label="shared_secret", part=context, length=32)


def shared_hybrid(enc: bytes, mlkem_seed: bytes, private: bytes) -> bytes:
    """Decap of MLKEM768-X25519: both secrets, what X25519 sent and its public key, a label; through SHA3-256."""
    key = X25519PrivateKey.from_private_bytes(private)
    ours = MLKEM768PrivateKey.from_seed_bytes(mlkem_seed).decapsulate(enc[:1088])
    theirs = key.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
    return sha3_256(ours + theirs + enc[1088:] + key.public_key().public_bytes_raw() + b"\\.//^\\").digest()


def schedule(shared: bytes, info: bytes, *, ids: tuple[int, int, int]) -> tuple[bytes, bytes]:
    """Key and first nonce: RFC 9180, 5.1, base mode, HKDF-SHA256."""
    suite_id = b"HPKE" + b"".join(number.to_bytes(2) for number in ids)
    context = b"\x00" + b"".join(
        labeled("extract", suite_id, key=b"", label=label, part=part)
        for label, part in (("psk_id_hash", b""), ("info_hash", info))
    )
    secret = labeled("extract", suite_id, key=shared, label="secret", part=b"")
    length = 16 if ids[2] == 1 else 32
    return (
        labeled("expand", suite_id, key=secret, label="key", part=context, length=length),
        labeled("expand", suite_id, key=secret, label="base_nonce", part=context, length=12),
    )


PLAIN = [vector for vector in HPKE_VECTORS if vector["kem_id"] in {0x0020, 0x647A} and vector["kdf_id"] == 1]


@pytest.mark.parametrize("vector", PLAIN, ids=named)
def test_a_plain_reading_of_the_rfc_computes_the_published_keys(vector: Vector):
    """The few lines above agree with the vectors in shared secret, key and nonce: they may judge what we seal."""
    v = raw(vector)
    if vector["kem_id"] == 0x0020:
        shared = shared_x25519(v["enc"], v["skRm"])
    else:
        expanded = shake_256(v["skRm"]).digest(96)
        shared = shared_hybrid(v["enc"], expanded[:64], expanded[64:])
    ids = (vector["kem_id"], vector["kdf_id"], vector["aead_id"])
    assert (shared, *schedule(shared, v["info"], ids=ids)) == (v["shared_secret"], v["key"], v["base_nonce"])


@pytest.mark.parametrize(("ids", "suite"), OURS.items(), ids=str)
def test_a_plain_reading_of_the_rfc_opens_what_we_seal(ids: tuple[int, int, int], suite: SealSuite):
    """No library of ours is needed at headquarters: HMAC, X25519, ML-KEM and AES-GCM do."""
    key = RecipientKey.of(b"m" * 64, b"x" * 32)
    sealed = seal(b"secret", recipient=key.recipient(), store="shop", purpose="pay", record="r", suite=suite).sealed
    bound = b"threshold-sealed\x01\0\0\0\x04shop\0\0\0\x03pay\0\0\0"
    slot_end = 21 + int.from_bytes(sealed[19:21])
    slot, enc_bytes = sealed[21:slot_end], slot_end - 21 - 48
    enc = slot[:enc_bytes]
    shared = (
        shared_x25519(enc, key.x25519) if suite is SealSuite.X25519 else shared_hybrid(enc, key.mlkem_seed, key.x25519)
    )
    info = bound + b"\0" + bytes([suite]) + bytes.fromhex(key.key_id)
    hpke_key, nonce = schedule(shared, info, ids=ids)
    data_key = AESGCM(hpke_key).decrypt(nonce, slot[enc_bytes:], b"")
    body = sealed[slot_end:]
    opened = AESGCM(data_key).decrypt(body[:12], body[12:], bound + b"\x01r" + sealed[:slot_end])
    assert opened == b"secret"


@pytest.mark.parametrize(
    "vector", published("aes256gcm-nist.json"), ids=lambda v: f"{len(v['pt'])}-{len(v['aad'])}-{v['key'][:4]}"
)
def test_aes_256_gcm_is_nists(vector: Vector):
    """NIST SP 800-38D by its validation programme's vectors: sealed so, opened again, and not with a bit flipped."""
    v = raw(vector)
    cipher = AESGCM(v["key"])
    sealed = cipher.encrypt(v["iv"], v["pt"], v["aad"])
    assert sealed == v["ct"] + v["tag"]
    assert cipher.decrypt(v["iv"], sealed, v["aad"]) == v["pt"]
    with pytest.raises(InvalidTag):
        cipher.decrypt(v["iv"], sealed[:-1] + bytes([sealed[-1] ^ 1]), v["aad"])


@pytest.mark.parametrize("vector", published("hmac-rfc4231.json"), ids=lambda v: v["md"][:8])
def test_hmac_sha_256_is_rfc_4231s(vector: Vector):
    """`hmac.digest`, which the keyring's `mac` calls."""
    v = raw(vector)
    assert hmac.digest(v["key"], v["msg"], "sha256") == v["md"]


@pytest.mark.parametrize("vector", published("hkdf-rfc5869.json"), ids=lambda v: v["okm"][:8])
def test_hkdf_sha_256_is_rfc_5869s(vector: Vector):
    """`HKDF`, which makes the keyring's keys for each purpose."""
    v, length = raw({name: value for name, value in vector.items() if name != "l"}), int(vector["l"])
    assert HKDF(SHA256(), length, salt=v["salt"] or None, info=v["info"]).derive(v["ikm"]) == v["okm"]
