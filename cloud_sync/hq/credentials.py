"""Who may speak for a store. HQ keeps a hash; the credential itself is shown once, when it is made."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from cloud_sync.hq.schema import stores
from edge.clock import epoch_s
from edge.errors import ThresholdError

__all__ = ["STORE_ID", "add_store", "hash_credential", "is_credential_of", "matches", "new_credential"]

STORE_ID = re.compile(r"[a-z0-9-]{1,40}")
"""What a store's id looks like (design, section 3)."""

_NO_HASH = "0" * 64


def new_credential(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh credential of 256 bits, fit for an HTTP header; pass `secrets.token_bytes`."""
    return random_bytes(32).hex()


def hash_credential(credential: str) -> str:
    """What HQ keeps. A credential is 256 random bits, so a fast hash gives nothing away."""
    return sha256(credential.encode()).hexdigest()


def matches(presented: str, expected_hash: str | None) -> bool:
    """Whether `presented` hashes to `expected_hash`, in a time that tells nothing; False when there is no such hash."""
    same = hmac.compare_digest(hash_credential(presented), expected_hash or _NO_HASH)
    return same and expected_hash is not None and presented != ""


def is_credential_of(connection: Connection, store: str, presented: str) -> bool:
    """Whether `presented` is the credential of `store`; an unknown store looks like a wrong credential."""
    expected = connection.execute(select(stores.c.credential_hash).where(stores.c.store == store)).scalar()
    return matches(presented, expected)


def add_store(connection: Connection, store: str, *, credential: str, timezone: str, renew: bool, at: datetime) -> None:
    """Let `store` report with `credential`; with `renew`, in place of the one it has.

    Raises:
        ThresholdError: the id is no store id, or the store is known and `renew` is not set.
    """
    if not STORE_ID.fullmatch(store):
        raise ThresholdError("add store", f"'{store[:60]}' is no store id", "use a-z, 0-9 and -, at most 40")
    known = connection.execute(select(stores.c.store).where(stores.c.store == store)).scalar()
    values = {"credential_hash": hash_credential(credential), "timezone": timezone}
    if known is None:
        connection.execute(insert(stores).values(store=store, added_s=epoch_s(at), **values))
    elif renew:
        connection.execute(update(stores).where(stores.c.store == store).values(**values))
    else:
        raise ThresholdError("add store", f"{store} is known already", "give it a new credential with --renew")
