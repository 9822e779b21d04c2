"""`threshold consent`: the privacy officer's tools."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge.clock import utc_now
from edge.commands.options import example, store_option
from edge.errors import StorageError
from edge.settings import Settings

if TYPE_CHECKING:
    from edge.consent.purposes import Language, PurposeBook
    from edge.consent.subject import Subject
    from edge.privacy.keyring import Keyring

__all__ = ["consent"]

F = TypeVar("F", bound=Callable[..., Any])
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_OWNER_ONLY = 0o600


@click.group(
    epilog=example(
        "threshold consent verify --config /etc/threshold/store.toml",
        "threshold consent show --state demo-state --code 7K2M-QX4D",
    )
)
def consent() -> None:
    """Show, verify and hand out what shoppers agreed to."""


def _whose(command: F) -> F:
    """Give a command `--subject` and `--code`."""
    command = click.option("--subject", metavar="s_…", help="A subject's pseudonym, as the ledger has it.")(command)
    return click.option("--code", metavar="XXXX-XXXX", help="The code on a shopper's receipt.")(command)


@consent.command(
    epilog=example(
        "threshold consent show --config /etc/threshold/store.toml",
        "threshold consent show --state demo-state --code 7K2M-QX4D --json",
    )
)
@_whose
@_json_option
@store_option
def show(settings: Settings, subject: str | None, code: str | None, as_json: bool) -> None:
    """Say how many agreed to what, or how things stand for one subject."""
    from edge.consent.summary import summary_of

    with _database(settings) as sql:
        if subject is not None or code is not None:
            held = _held(settings, sql, subject=subject, code=code)
            click.echo(json.dumps(held, ensure_ascii=False) if as_json else _standing_lines(held))
            return
        found = summary_of(sql, at=utc_now())
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(f"entries   {found.entries}, the last of {found.last_at or 'never'}")
    click.echo(f"subjects  {found.subjects}, {found.erased} of them erased")
    for purpose, states in found.purposes.items():
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        click.echo(f"{purpose:<20} {counts}")


@consent.command(
    epilog=example(
        "threshold consent verify --config /etc/threshold/store.toml",
        "threshold consent verify --state demo-state --receipt receipt.json",
    )
)
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A shopper's signed receipt to check in place of the ledger.",
)
@_json_option
@store_option
def verify(settings: Settings, receipt: Path | None, as_json: bool) -> None:
    """Recompute the whole ledger and name the first entry that is broken, or check one receipt; exits 1 if it does not hold."""
    if receipt is not None:
        _verify_receipt(settings, receipt, as_json=as_json)
        return
    from edge.consent.verify import verify_registry

    with _database(settings):
        keys = _keyring(settings).verify_keys()
    started = perf_counter()
    found = verify_registry(settings.consent_db, keys=keys, store_db=settings.store_db)
    took_s = perf_counter() - started
    if as_json:
        click.echo(json.dumps({**asdict(found), "seconds": round(took_s, 3)}))
        return
    click.echo(f"{found.entries} entries and {found.checkpoints} checkpoints hold, and what is derived from them")
    click.echo(
        f"{found.subjects} subjects, {found.consents} consents; head {found.head_hash[:16] or '-'}; {took_s:.1f} s"
    )
    followed = "the gateway has not begun to" if found.followed_seq is None else f"the gateway to {found.followed_seq}"
    click.echo(f"followed: the witness file to {found.witness_seq}, {followed}")


@consent.command(epilog=example("threshold consent export --state demo-state --code 7K2M-QX4D --out answer.json"))
@_whose
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to make.")
@store_option
def export(settings: Settings, subject: str | None, code: str | None, out: Path) -> None:
    """Write everything held on one subject into a new file that only you may read."""
    from edge.consent.subject import Subject

    with _database(settings) as sql:
        held = _held(settings, sql, subject=subject, code=code)
    _write_new(out, json.dumps(held, ensure_ascii=False, indent=2) + "\n")
    recorded = _record_export(settings, Subject(held["standing"]["subject"]))
    click.echo(f"wrote {out}; {recorded}")


@consent.command(epilog=example("threshold consent retain --config /etc/threshold/store.toml"))
@_json_option
@store_option
def retain(settings: Settings, as_json: bool) -> None:
    """Delete what has outlived its time, and report it; the web process does so by itself while it runs."""
    from edge.consent.registry import ConsentRegistry

    with _database(settings):
        keyring = _keyring(settings)
    with ConsentRegistry(settings.consent_db, keyring=keyring, purposes=_purposes(settings), clock=utc_now) as registry:
        report = asdict(registry.retain(utc_now()))
    if as_json:
        click.echo(json.dumps(report))
        return
    for name, count in report.items():
        click.echo(f"{name.replace('_', ' '):<17} {count}")


@consent.command(epilog=example("threshold consent purposes --config /etc/threshold/store.toml --language zh-CN"))
@click.option("--language", type=click.Choice(["en", "zh-CN"]), default="en", show_default=True, help="Of the words.")
@_json_option
@store_option
def purposes(settings: Settings, language: Language, as_json: bool) -> None:
    """Print what shoppers are asked, in their words, with the version of each notice."""
    book = _purposes(settings)
    if as_json:
        told = [
            {"id": one.id, "version": one.version, **one.text[language].model_dump(exclude_none=True)} for one in book
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in book:
        click.echo(f"{one.id}  {one.version}\n  {one.text[language].title}\n  {one.text[language].summary}")


@contextmanager
def _database(settings: Settings) -> Iterator[sqlite3.Connection]:
    """A snapshot of the registry.

    Raises:
        StorageError: there is none yet, or it cannot be read.
    """
    from edge.storage.database import open_reader

    if not settings.consent_db.exists():
        raise StorageError(
            "open consents",
            f"{settings.consent_db} does not exist yet",
            "set kiosk.enabled and start the web process, which makes it",
        )
    try:
        with open_reader(settings.consent_db) as sql:
            sql.row_factory = None
            sql.execute("BEGIN")
            yield sql
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StorageError("read consents", f"{settings.consent_db}: {error}", "restore a backup") from error


def _verify_receipt(settings: Settings, path: Path, *, as_json: bool) -> None:
    """Say in one line whose receipt it is and when it was signed.

    Raises:
        ReceiptInvalid: it does not hold.
    """
    from edge.consent.receipt import MAX_RECEIPT_BYTES, verify_receipt

    with path.open("rb") as file:
        found = verify_receipt(file.read(MAX_RECEIPT_BYTES + 1), _keyring(settings).verify_keys())
    key, subject = found.signature.key_id, found.record.header.pii_principal_id
    if as_json:
        told = {"receipt_id": found.receipt_id, "issued_at": found.issued_at, "subject": subject, "key_id": key}
        click.echo(json.dumps(told))
        return
    decided = ", ".join(f"{event.purpose_id} {event.event_state}" for event in found.record.events)
    click.echo(f"good: signed by this box's key {key} at {found.issued_at} for {subject}: {decided}")


def _keyring(settings: Settings) -> Keyring:
    from edge.privacy.keyring import Keyring

    return Keyring.open(settings.keyring_file, create=False)


def _purposes(settings: Settings) -> PurposeBook:
    from edge.consent.purposes import PurposeBook

    return PurposeBook.load(settings.consent.purposes_file)


def _held(settings: Settings, sql: sqlite3.Connection, *, subject: str | None, code: str | None) -> dict[str, Any]:
    from edge.consent.access_request import access_request

    keyring = _keyring(settings)
    named = _subject(sql, keyring, subject=subject, code=code)
    return access_request(sql, named, keyring=keyring, purposes=_purposes(settings), at=utc_now())


def _subject(sql: sqlite3.Connection, keyring: Keyring, *, subject: str | None, code: str | None) -> Subject:
    """Whom the options name.

    Raises:
        click.UsageError: both are given, or neither.
        NoSuchSubject: nobody is.
    """
    from edge.clock import epoch_s
    from edge.consent.access_codes import AccessCodes
    from edge.consent.subject import NoSuchSubject, subject_from, subject_of

    if subject is not None and code is None:
        return subject_from(subject)
    if code is None or subject is not None:
        raise click.UsageError("name the subject with either --subject or --code")
    raw = AccessCodes(keyring).owner(sql, "code", code, at_s=epoch_s(utc_now()))
    if raw is None:
        raise NoSuchSubject(
            "look up subject", "no receipt has that code", "check it; after an erasure it opens nothing"
        )
    return subject_of(raw)


def _standing_lines(held: dict[str, Any]) -> str:
    standing = held["standing"]
    lines = [f"{standing['subject']}, since {standing['created_at']}"]
    if standing["erased_at"]:
        lines.append(f"erased {standing['erased_at']}")
    for one in standing["purposes"]:
        until = f", until {one['expires_at']}" if one["state"] == "granted" else ""
        again = ", must be asked again" if one["ask_again"] else ""
        lines.append(f"{one['purpose']:<20} {one['state']}{until}{again}")
    return "\n".join(lines)


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise click.UsageError(f"--out {path}: exists already; name a new file") from None
    except OSError as error:
        raise click.UsageError(f"--out {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _record_export(settings: Settings, subject: Subject) -> str:
    """Write the handing out into the ledger, unless its owner is at work; what became of that."""
    from edge.consent.registry import ConsentRegistry

    keyring, book = _keyring(settings), _purposes(settings)
    try:
        registry = ConsentRegistry(settings.consent_db, keyring=keyring, purposes=book, clock=utc_now)
    except StorageError as error:
        return f"not noted in the ledger: {error.subject}"
    with registry:
        return f"noted in the ledger as entry {registry.note_exported(subject, channel='officer')}"
