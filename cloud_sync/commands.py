"""The commands that reach beyond the shop: `threshold sync` and `threshold hq`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.options import example, store_option

if TYPE_CHECKING:
    from cloud_sync.hq.service import Listener
    from cloud_sync.hq.settings import HqServiceSettings
    from edge.settings import Settings

__all__ = ["add_store", "hq", "serve", "sync"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

_data_option = click.option("--data", type=_FOLDER, required=True, help="HQ's data folder.")
_database_option = click.option(
    "--database", metavar="URL", envvar="THRESHOLD_HQ_DATABASE", help="Another database, such as PostgreSQL's."
)


@click.command(epilog=example("threshold sync --config store.toml"))
@store_option
def sync(settings: Settings) -> None:
    """Send what the store releases to HQ, until stopped. SIGHUP makes it try at once."""
    import random
    from contextlib import ExitStack

    from cloud_sync.process import build_uplink, run_until_signal
    from edge.clock import utc_now
    from edge.logs import configure_logs

    configure_logs(process="sync")
    with ExitStack() as closing_up:
        jitter = random.Random().random  # noqa: S311  it spreads stores over time, and guards nothing
        run_until_signal(build_uplink(settings, clock=utc_now, jitter=jitter, closing_up=closing_up))


@click.group(epilog=example("threshold hq serve --data hq"))
def hq() -> None:
    """Headquarters: receive the stores' events and add them up."""


@hq.command(
    epilog=example(
        "threshold hq serve --data hq",
        "threshold hq serve --data hq --host 0.0.0.0 \\",
        "  --tls-cert cert.pem --tls-key key.pem",
    )
)
@_data_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0 takes a free one.")
@click.option("--tls-cert", type=_FILE, help="Certificate chain, PEM. Needed unless --host is loopback.")
@click.option("--tls-key", type=_FILE, help="The certificate's private key, PEM.")
@_database_option
def serve(data: Path, host: str, port: int, tls_cert: Path | None, tls_key: Path | None, database: str | None) -> None:
    """Run the HQ service until stopped.

    The administrator's token lies in DIR/admin-token; the page asks for it as password, except on loopback.
    """
    from cloud_sync.hq.app import build_hq
    from cloud_sync.hq.service import Listener
    from cloud_sync.hq.service import serve as serve_hq
    from cloud_sync.loopback import is_loopback
    from edge.logs import configure_logs

    listener = Listener(host, port, tls_cert, tls_key)
    _check_listener(listener)
    configure_logs(process="hq")
    settings = _settings(data, database, page_open=is_loopback(host))
    serve_hq(build_hq(settings), listener)


@hq.command("add-store", epilog=example("threshold hq add-store berlin-1 --data hq --credential-out hq.credential"))
@click.argument("store")
@_data_option
@click.option("--credential-out", type=_FILE, help="Write the credential to this file, mode 0600, and print nothing.")
@click.option("--timezone", default="UTC", show_default=True, help="The store's own, for `today` on the page.")
@click.option("--renew", is_flag=True, help="Give a store that is known a new credential; the old one ends.")
@_database_option
def add_store(
    store: str, data: Path, credential_out: Path | None, timezone: str, renew: bool, database: str | None
) -> None:
    """Let STORE report to HQ, and print its credential. It is shown this once."""
    import secrets

    from cloud_sync.hq import credentials
    from cloud_sync.hq.database import open_database, sqlite_url
    from cloud_sync.hq.secret_file import write_secret
    from edge.clock import utc_now

    _check_timezone(timezone)
    credential = credentials.new_credential(secrets.token_bytes)
    engine = open_database(database or sqlite_url(data))
    try:
        with engine.begin() as connection:
            credentials.add_store(
                connection, store, credential=credential, timezone=timezone, renew=renew, at=utc_now()
            )
            if credential_out is not None:
                write_secret(credential_out, credential)  # inside: a store whose file failed is not added
    finally:
        engine.dispose()
    if credential_out is None:
        click.echo(credential)


def _settings(data: Path, database: str | None, *, page_open: bool) -> HqServiceSettings:
    import secrets

    from cloud_sync.hq.credentials import hash_credential, new_credential
    from cloud_sync.hq.database import sqlite_url
    from cloud_sync.hq.secret_file import kept_secret
    from cloud_sync.hq.settings import HqServiceSettings

    token = kept_secret(data / "admin-token", make=lambda: new_credential(secrets.token_bytes))
    return HqServiceSettings(
        database_url=database or sqlite_url(data), admin_token_hash=hash_credential(token), page_open=page_open
    )


def _check_listener(listener: Listener) -> None:
    from cloud_sync.loopback import is_loopback

    if (listener.tls_cert is None) != (listener.tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if listener.tls_cert is None and not is_loopback(listener.host):
        raise click.UsageError("plain HTTP is for loopback only; give --tls-cert and --tls-key")


def _check_timezone(name: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.UsageError("--timezone: no such time zone; use a name like Asia/Shanghai") from error
