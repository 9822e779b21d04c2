"""HQ as a process: listening, and stopping cleanly."""

from __future__ import annotations

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from edge.errors import ThresholdError
from edge.serving.listening import listen

__all__ = ["Listener", "bind", "serve"]

log = structlog.get_logger(__name__)

_LAST_REQUESTS_S = 5


@dataclass(frozen=True, slots=True)
class Listener:
    """Where HQ listens. Port 0 takes a free one. Both TLS files, or neither for plain HTTP on loopback."""

    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None


def bind(listener: Listener) -> socket.socket:
    """A socket listening at `listener`.

    Raises:
        ThresholdError: the address is taken, or not this machine's.
    """
    try:
        return listen(listener.host, listener.port, backlog=512)
    except OSError as error:
        where = f"{listener.host}:{listener.port}: {error.strerror or error}"
        raise ThresholdError("serve HQ", where, "choose another --host or --port") from error


def serve(app: FastAPI, listener: Listener) -> None:
    """Serve `app` until SIGTERM or SIGINT, letting requests in hand finish.

    Raises:
        ThresholdError: the address or the TLS files cannot be used.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_REQUESTS_S,
        ssl_certfile=listener.tls_cert,
        ssl_keyfile=listener.tls_key,
    )
    try:
        config.load()
    except OSError as error:  # SSLError is one of these
        what = f"{listener.tls_cert}, {listener.tls_key}: {error.strerror or error}"
        raise ThresholdError("serve HQ", what, "give a certificate and its key as PEM files") from error
    with bind(listener) as listening:
        scheme = "https" if listener.tls_cert else "http"
        log.info("hq_listening", url=f"{scheme}://{_shown(listener.host)}:{listening.getsockname()[1]}")
        # uvicorn raises the signal anew when it is done, so that a supervisor sees it; a wished-for stop is exit 0.
        for wished in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wished, lambda _signal, _frame: None)
        uvicorn.Server(config).run(sockets=[listening])
    log.info("hq_stopped")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
