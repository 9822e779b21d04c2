"""`threshold gateway`, `web` and `run`: the processes of a store, alone or together."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from edge.commands.options import example, store_option
from edge.settings import Settings

__all__ = ["gateway", "run", "web"]


@click.command(epilog=example("threshold gateway --config /etc/threshold/store.toml"))
@store_option
def gateway(settings: Settings) -> None:
    """Take messages from devices, count, and release what may leave. Runs until SIGTERM."""
    from edge.app import build  # heavy: loads OpenCV and ONNX Runtime
    from edge.logs import configure_logs
    from edge.privacy.sanitise.logs import log_processor
    from edge.privacy.sanitise.of_store import sanitiser_of

    configure_logs(process="gateway", clean=log_processor(sanitiser_of(settings)))
    stop = _stop_signal()
    running = build(settings)
    running.start()
    try:
        stop.wait()
    finally:
        running.stop()


@click.command(epilog=example("threshold web --config /etc/threshold/store.toml"))
@store_option
def web(settings: Settings) -> None:
    """Serve the store's dashboard and, with kiosk.enabled, the kiosk. Runs until SIGTERM."""
    from edge.commands.web_process import serve_web  # heavy: loads FastAPI
    from edge.logs import configure_logs
    from edge.privacy.sanitise.logs import log_processor
    from edge.privacy.sanitise.of_store import sanitiser_of

    configure_logs(process="web", clean=log_processor(sanitiser_of(settings)))
    serve_web(settings)


@click.command(epilog=example("threshold run --config /etc/threshold/store.toml"))
@store_option
@click.pass_obj
def run(config: Path, settings: Settings) -> None:
    """Run gateway, web and sync side by side, restarting what falls over. Runs until SIGTERM."""
    from edge.logs import configure_logs
    from edge.supervisor import ProcessSpec, run_until_signal, threshold_command

    configure_logs(process="run")
    syncs = settings.hq.url and settings.hq.credential_file
    names = ("gateway", "web", "sync") if syncs else ("gateway", "web")
    run_until_signal(
        settings.state, [ProcessSpec(name, threshold_command(name, "--config", str(config))) for name in names]
    )


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
