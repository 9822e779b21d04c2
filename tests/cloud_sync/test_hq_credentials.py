"""Credentials: made, kept as a hash, compared."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from cloud_sync.hq.credentials import add_store, hash_credential, is_credential_of, matches, new_credential
from cloud_sync.hq.database import open_database, sqlite_url
from cloud_sync.hq.schema import stores
from cloud_sync.hq.secret_file import kept_secret, write_secret
from edge.errors import StorageError, ThresholdError


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_database(sqlite_url(tmp_path))
    with engine.begin() as made:
        yield made
    engine.dispose()


def add(connection: Connection, kit: Any, credential: str, *, store: str = "s1", renew: bool = False) -> None:
    add_store(connection, store, credential=credential, timezone="UTC", renew=renew, at=kit.NOON)


def test_a_credential_has_256_bits() -> None:
    """It comes from the randomness handed in, and fits a header."""
    assert new_credential(lambda size: b"\xab" * size) == "ab" * 32
    assert new_credential(secrets.token_bytes) != new_credential(secrets.token_bytes)


def test_hq_keeps_no_credential(connection: Connection, kit: Any) -> None:
    """A stolen database opens no store."""
    add(connection, kit, "plain-secret")
    row = connection.execute(select(stores)).one()
    assert "plain-secret" not in str(row)
    assert row.credential_hash == hash_credential("plain-secret")


def test_only_the_right_credential_matches(connection: Connection, kit: Any) -> None:
    """Not another one, not none, not an unknown store's."""
    add(connection, kit, "right")
    assert is_credential_of(connection, "s1", "right")
    for store, credential in (("s1", "wrong"), ("s1", ""), ("s9", "right"), ("s9", "")):
        assert not is_credential_of(connection, store, credential)


def test_nothing_matches_no_hash() -> None:
    """An unset token, or an empty one, lets nobody in."""
    assert not matches("", None)
    assert not matches("0" * 64, None)
    assert not matches("", hash_credential(""))


def test_a_known_store_is_not_added_over(connection: Connection, kit: Any) -> None:
    """Its working credential stays unless a renewal is asked for."""
    add(connection, kit, "first")
    with pytest.raises(ThresholdError, match="known already"):
        add(connection, kit, "second")
    assert is_credential_of(connection, "s1", "first")
    add(connection, kit, "second", renew=True)
    assert is_credential_of(connection, "s1", "second")
    assert not is_credential_of(connection, "s1", "first")


@pytest.mark.parametrize("store", ["", "Berlin", "a_b", "x" * 41, "a/b", "s1\n", "店"])
def test_a_store_id_is_checked(store: str, connection: Connection, kit: Any) -> None:
    """The same words as in topics and sources."""
    with pytest.raises(ThresholdError, match="no store id"):
        add(connection, kit, "c", store=store)


def test_a_secret_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600 from its first moment, and no draft stays behind."""
    write_secret(tmp_path / "new" / "secret", "s")
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["secret"]


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    """The second asking finds the first one's."""
    made = iter(["first", "second"])
    assert kept_secret(tmp_path / "token", make=lambda: next(made)) == "first"
    assert kept_secret(tmp_path / "token", make=lambda: next(made)) == "first"


def test_an_empty_or_unwritable_secret_file_is_an_error(tmp_path: Path) -> None:
    """An empty token would let everybody in."""
    (tmp_path / "token").write_text("\n")
    with pytest.raises(StorageError, match="is empty"):
        kept_secret(tmp_path / "token", make=lambda: "x")
    with pytest.raises(StorageError, match="write secret"):
        write_secret(tmp_path / "token" / "below", "x")
