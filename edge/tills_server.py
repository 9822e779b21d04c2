"""The tills' HTTP server, on a thread of the gateway's process: it shares the writer, which is one of a kind."""

from __future__ import annotations

import threading
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from edge.errors import BusError
from edge.serving.listening import listen
from edge.settings import TillsHttpSettings

__all__ = ["TillsServer"]

log = structlog.get_logger(__name__)

_CONNECTIONS: Final = 256
_KEEP_ALIVE_S: Final = 30
_LAST_ANSWERS_S: Final = 5


class TillsServer:
    """Serves `app` where `[tills_http]` says, from `start` to `stop`."""

    def __init__(self, app: FastAPI, settings: TillsHttpSettings) -> None:
        self._settings = settings
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
            ssl_certfile=settings.certificate_file,
            ssl_keyfile=None if settings.key_file is None else str(settings.key_file),
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on.

        Raises:
            BusError: the port is taken, the address is none of this box's, or the certificate cannot be read.
        """
        where = (self._settings.host, self._settings.port)
        try:
            self._server.config.load()  # here, where its complaints are heard
            listener = listen(*where)
        except OSError as error:
            raise BusError(
                "listen for tills",
                f"{where[0]}:{where[1]} ({error.strerror})",
                "look at [tills_http]",
            ) from error
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="tills-http")
        self._thread.start()
        log.info("tills.listening", port=self._settings.port, tls=self._settings.certificate_file is not None)

    def stop(self) -> None:
        """Take nothing more; what is being answered is answered, for five seconds at most."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
