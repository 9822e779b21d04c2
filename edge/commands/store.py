"""`threshold init`, `check` and `status`: a store's settings and its state."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from edge.clock import utc_now
from edge.commands.options import example, store_option
from edge.errors import SettingsError
from edge.messages import DEVICE_ID
from edge.settings import Settings

__all__ = ["check", "init", "status"]


@click.command(epilog=example("threshold init /etc/threshold --store berlin-1 --timezone Europe/Berlin"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--store", default="my-store", show_default=True, help="The store's id: a-z, 0-9 and -.")
@click.option("--name", default="My store", show_default=True, help="The store's name, for people.")
@click.option("--timezone", default="UTC", show_default=True, help="Where the store's day begins, e.g. Asia/Shanghai.")
def init(folder: Path, store: str, name: str, timezone: str) -> None:
    """Write a first store.toml into FOLDER."""
    from edge.settings import load_settings
    from edge.store_file import write_store_file

    if not re.fullmatch(DEVICE_ID, store):
        raise click.BadParameter("an id has 1 to 40 of a-z, 0-9 and -", param_hint="--store")
    path = write_store_file(folder, store=store, name=name, timezone=timezone, today=utc_now().date())
    try:
        load_settings(path)
    except SettingsError:
        path.unlink()  # a time zone that does not exist, say: leave nothing half made
        raise
    click.echo(f"wrote {path}; attest the camera notice in it, then: threshold check --config {path}")


@click.command(epilog=example("threshold check --config /etc/threshold/store.toml"))
@store_option
def check(settings: Settings) -> int:
    """Check store.toml and what it names; prints every mistake, and exits 2 if there is one."""
    from edge.checkup import mistakes_of, warnings_of

    mistakes = mistakes_of(settings)
    for mistake in mistakes:
        click.echo(f"threshold: check: {mistake}", err=True)
    for warning in warnings_of(settings, at=utc_now()):
        click.echo(f"warning: {warning}", err=True)
    if mistakes:
        return 2
    click.echo(f"{settings.store.id}: no mistakes")
    return 0


@click.command(epilog=example("threshold status --state demo-state --json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
def status(settings: Settings, as_json: bool) -> None:
    """Say what the store is doing."""
    from edge.status import read_status

    found = read_status(settings, clock=utc_now)
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, pid in found["processes"].items():
        click.echo(f"{name:<9} {'runs, process ' + str(pid) if pid else 'stopped'}")
    click.echo(f"visitors  {found['visitors']['in']} in, {found['visitors']['out']} out")
    click.echo(f"outbox    {found['outbox']['waiting']} waiting, HQ has {found['outbox']['acknowledged_sequence']}")
    for device in found["devices"]:
        click.echo(f"{device['kind']:<9} {device['id']}: {device['state']}")
