"""A broker inside our own process, to try Threshold with: amqtt, anonymous, for this machine only. A shop runs Mosquitto.

It speaks MQTT 3.1.1, and does not keep what came while a persistent session was away; `ack` and resending make up for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import structlog

from edge.errors import BusError

__all__ = ["EmbeddedBroker"]

_START_S = 20.0
log = structlog.get_logger(__name__)


class EmbeddedBroker:
    """An MQTT broker in a thread of its own, from `start` to `stop`; also a context manager."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 1883) -> None:
        self._host = host
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._failure: str | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="broker", daemon=True)

    def start(self) -> None:
        """Listen; returns once devices can connect.

        Raises:
            BusError: the port is taken, or the address is not this machine's.
        """
        self._check_address()
        self._thread.start()
        if not self._started.wait(_START_S) or self._failure is not None:
            raise BusError("start broker", self._failure or "it does not answer", "look at the log")

    def stop(self) -> None:
        """Disconnect everybody and end; wills of clients that were still there are not sent."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _check_address(self) -> None:
        """amqtt logs a traceback where one line will do."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._host, self._port))
            except OSError as error:
                raise BusError(
                    "start broker", f"{self._host}:{self._port}: {error.strerror}", "choose another --port"
                ) from error

    async def _serve(self) -> None:
        from amqtt.broker import Broker  # noqa: PLC0415  its import alone takes a second; only who needs it pays
        from amqtt.errors import AMQTTError  # noqa: PLC0415

        for name, level in (("amqtt", logging.ERROR), ("transitions", logging.WARNING)):
            logging.getLogger(name).setLevel(level)
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_note)
        broker = Broker(self._config())
        broker._subscriptions = _Steady(broker._subscriptions)
        try:
            await broker.start()
        except AMQTTError as error:
            self._failure = type(error).__name__
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await broker.shutdown()

    def _config(self) -> dict[str, Any]:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{self._port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }


class _Steady(dict[Any, Any]):
    """A dictionary that may change while somebody walks through it.

    amqtt 0.12.1 walks its subscriptions with an await in between (`Broker._handle_client_session`). When two clients
    connect at once, the walk of one breaks at the subscription of the other, and its session is left alive and deaf.
    """

    def __iter__(self) -> Iterator[Any]:
        return iter(list(super().keys()))

    def items(self) -> Any:
        return list(super().items())


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """amqtt lets fall what goes wrong while somebody hangs up, as whoever tried MQTT 5 on it does."""
    log.warning("broker_connection_failed", error=type(context.get("exception")).__name__)
