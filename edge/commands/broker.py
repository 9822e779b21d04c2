"""`threshold broker`: a broker to try Threshold with, where no Mosquitto is at hand."""

from __future__ import annotations

import signal
import threading

import click

from edge.bus.broker import EmbeddedBroker
from edge.commands.options import example
from edge.logs import configure_logs

__all__ = ["broker"]


@click.command(epilog=example("threshold broker --port 1883"))
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Anybody who reaches it may publish."
)
@click.option("--port", default=1883, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
def broker(*, host: str, port: int) -> None:
    """Run a small MQTT 3.1.1 broker, without passwords, until it is told to stop. A shop runs Mosquitto instead."""
    configure_logs(process="broker")
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with EmbeddedBroker(host=host, port=port):
        click.echo(f"broker: listening on {host}:{port}")
        told.wait()
