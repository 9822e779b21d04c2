"""`threshold keys`: the box's own keys, and the keys of headquarters that it seals to."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.clock import utc_now
from edge.commands.options import example, store_option
from edge.errors import StorageError
from edge.settings import Settings

if TYPE_CHECKING:
    from edge.privacy.keyring import Keyring

__all__ = ["keys"]

_FOLDER = click.Path(path_type=Path, file_okay=False)
_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
_WRAPPED = """SELECT lower(hex(substr(blob, 2, 8))), count(*) FROM (
                SELECT key AS blob FROM subjects WHERE key IS NOT NULL
                UNION ALL SELECT answer FROM tickets WHERE answer IS NOT NULL) GROUP BY 1"""
"""How much each wrapping key holds: its id follows the version (see `Keyring.wrap`)."""


@dataclass(frozen=True, slots=True)
class _BoxKey:
    """What may be told of a key in the keyring."""

    id: str
    made_at: str
    age_days: int
    state: str
    holds: int | None = None


@dataclass(frozen=True, slots=True)
class _HqKey:
    """What may be told of a key that the box seals to; `refused` says why it cannot."""

    file: str
    key_id: str | None = None
    refused: str | None = None


@click.group(
    epilog=example(
        "threshold keys status --config /etc/threshold/store.toml",
        "threshold keys make-recipient payment --out hq-keys",
    )
)
def keys() -> None:
    """Look at, change and make keys. None of them is ever printed."""


@keys.command(
    epilog=example(
        "threshold keys status --config /etc/threshold/store.toml", "threshold keys status --state demo-state --json"
    )
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
def status(settings: Settings, as_json: bool) -> int:
    """Say which keys the box has, how old they are, and whom it seals to; exits 1 where a key of HQ's is refused."""
    from edge.sealed.sealing import best_suite

    keyring = _keyring(settings)
    wrapping, signing = _wrapping(keyring, settings, now=utc_now()), _signing(keyring, now=utc_now())
    recipients = _recipients(settings)
    suite = best_suite().name.lower()
    if as_json:
        box = {"file": str(settings.keyring_file), "wrapping": _plain(wrapping), "signing": _plain(signing)}
        named = {purpose: key and asdict(key) for purpose, key in recipients.items()}
        click.echo(json.dumps({"keyring": box, "suite": suite, "recipients": named}))
    else:
        click.echo(f"keyring   {settings.keyring_file}")
        for role, found in (("wrapping", wrapping), ("signing", signing)):
            for key in found:
                held = "" if key.holds is None else f", {key.holds} under it"
                click.echo(f"{role:<9} {key.id}  {key.made_at[:10]}, {key.age_days} days: {key.state}{held}")
        for purpose, recipient in recipients.items():
            click.echo(f"{purpose:<9} {_told(recipient, purpose=purpose, suite=suite)}")
    return int(any(key is not None and key.refused is not None for key in recipients.values()))


@keys.command(epilog=example("threshold keys rotate --config /etc/threshold/store.toml"))
@store_option
def rotate(settings: Settings) -> None:
    """Give the box a new wrapping and a new signing key; what the old ones did stays readable and verifiable.

    The web process takes the new ones when it is restarted; its retention, or `threshold consent retain`, then wraps
    subjects' keys again. Tokens do not change.
    """
    keyring = _keyring(settings)
    keyring.rotate(utc_now())
    found = keyring.status()
    click.echo(f"wrapping  {found.wrapping[-1][0]}, {len(found.wrapping) - 1} before it still open")
    click.echo(f"signing   {found.signing[-1][0]}, {len(found.signing) - 1} before it still verify, and sign no more")
    click.echo("restart the web process, which wraps subjects' keys again under the new one")


@keys.command("make-recipient", epilog=example("threshold keys make-recipient payment --out hq-keys"))
@click.argument("name")
@click.option(
    "--out", "folder", type=_FOLDER, required=True, help="The folder for both files; headquarters', no store's."
)
def make_recipient(name: str, folder: Path) -> None:
    """Make a pair of keys for headquarters: NAME.private.json, which stays there, and NAME.public.json for the stores."""
    from edge.sealed.opening import PRIVATE_SUFFIX, PUBLIC_SUFFIX
    from edge.sealed.recipient import KeyFileRefused, generate_recipient_key, write_private, write_public

    if re.fullmatch(_NAME, name) is None:
        raise click.BadParameter("a name has 1 to 40 of a-z, 0-9 and -", param_hint="NAME")
    private, public = folder / f"{name}{PRIVATE_SUFFIX}", folder / f"{name}{PUBLIC_SUFFIX}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--out") from None
    key = generate_recipient_key()
    write_private(key, private)
    try:
        write_public(key.recipient(), public)
    except KeyFileRefused:
        private.unlink()  # nobody has its public half: half a pair would only confuse
        raise
    click.echo(f"wrote {private}: keep it at headquarters, and a copy under lock and key; without it nothing opens")
    click.echo(f"wrote {public}: for the stores' hq.payment_key_file or hq.identity_key_file")
    click.echo(f"fingerprint {_grouped(key.key_id)}: compare it with `threshold keys status` of a store")


def _keyring(settings: Settings) -> Keyring:
    from edge.privacy.keyring import Keyring

    return Keyring.open(settings.keyring_file, create=False)


def _wrapping(keyring: Keyring, settings: Settings, *, now: datetime) -> list[_BoxKey]:
    found, held = keyring.status().wrapping, _held(settings)
    states = [*["opens"] * (len(found) - 1), "wraps"]
    return [
        _BoxKey(key_id, made_at, _days(made_at, now), state, None if held is None else held.get(key_id, 0))
        for (key_id, made_at), state in zip(found, states, strict=True)
    ]


def _signing(keyring: Keyring, *, now: datetime) -> list[_BoxKey]:
    found = keyring.status().signing
    states = [*["verifies"] * (len(found) - 1), "signs"]
    return [
        _BoxKey(key_id, made_at, _days(made_at, now), state)
        for (key_id, made_at), state in zip(found, states, strict=True)
    ]


def _held(settings: Settings) -> dict[str, int] | None:
    """How much is wrapped by each key; None where there is no registry yet.

    Raises:
        StorageError: it cannot be read.
    """
    from edge.storage.database import open_reader

    if not settings.consent_db.exists():
        return None
    try:
        with open_reader(settings.consent_db) as sql:
            sql.row_factory = None
            return dict(sql.execute(_WRAPPED).fetchall())
    except sqlite3.Error as error:
        raise StorageError("read consents", f"{settings.consent_db}: {error}", "restore a backup") from error


def _recipients(settings: Settings) -> dict[str, _HqKey | None]:
    files = {"payment": settings.hq.payment_key_file, "identity": settings.hq.identity_key_file}
    return {purpose: None if path is None else _recipient(path) for purpose, path in files.items()}


def _recipient(path: Path) -> _HqKey:
    from edge.sealed.recipient import KeyFileRefused, read_public

    try:
        return _HqKey(str(path), key_id=read_public(path).key_id)
    except KeyFileRefused as error:
        return _HqKey(str(path), refused=f"{error.subject}; {error.remedy}")


def _told(key: _HqKey | None, *, purpose: str, suite: str) -> str:
    if key is None:
        return f"no key: hq.{purpose}_key_file is not set, and nothing of it is kept"
    if key.key_id is None:
        return f"REFUSED: {key.refused}"
    return f"sealed by {suite} to {_grouped(key.key_id)}, {key.file}"


def _plain(found: list[_BoxKey]) -> list[dict[str, object]]:
    return [{name: value for name, value in asdict(key).items() if value is not None} for key in found]


def _days(made_at: str, now: datetime) -> int:
    return (now - datetime.fromisoformat(made_at)).days


def _grouped(key_id: str) -> str:
    """As one reads it out on the telephone."""
    return " ".join(key_id[at : at + 4] for at in range(0, len(key_id), 4))
